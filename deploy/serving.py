"""Part of deploy/measure: builds what is measured, starts what serves items (this gateway, ministack, one function under
`cargo lambda watch`), and asks the processes what they take."""

import contextlib, json, os, pathlib, re, shutil, socket, subprocess, sys, threading, time
import urllib.error, urllib.parse, urllib.request

from builds import ROOT, output_of, programs, with_code

# What a single client may send is not what is measured.
WITHOUT_LIMITS = [
    "RateLimit=1000000", "BurstLimit=1000000", "QuotaLimit=1000000000",
    "UnregisteredRateLimit=1000000", "UnregisteredBurstLimit=1000000"]
PORTS = ["--port", "--issuer-port", "--dynamodb-port", "--api-gateway-port", "--lambda-port"]
# The caller of events/items-list.json, who sees their own items alone.
CALLER = "me"
ITEM = {"name": "first"}
WRK = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() others = 0 end
function response(status) if status ~= 200 then others = others + 1 end end
function done(summary, latency)
  local others = 0
  for _, thread in ipairs(threads) do others = others + thread:get("others") end
  local sockets = summary.errors
  io.write(string.format('\\n{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    others + sockets.connect + sockets.read + sockets.write + sockets.timeout))
end
"""


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


def build(profile, packages):
    """Builds these packages at once, and gives the folder of the executables."""
    say(f"building {', '.join(packages)}, profile {profile}")
    of_packages = [part for name in packages for part in ("--package", name)]
    subprocess.run(["cargo", "build", "--locked", "--profile", profile, "--bins", *of_packages], cwd=ROOT, check=True)
    target = json.loads(output_of("cargo", "metadata", "--no-deps", "--format-version=1", "--locked"))["target_directory"]
    return pathlib.Path(target) / ("debug" if profile == "dev" else profile)


def ask(url, body=None, headers={}):
    """The status and the body of a request."""
    data = None if body is None else body.encode()
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def token(issuer):
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": CALLER})
    _, answer = ask(f"{issuer}/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    return json.loads(answer)["access_token"]


class Target:
    """Something that serves items: one request to repeat, and the processes that answer it."""

    def __init__(self, name, work, url, headers, server, body=None):
        self.name, self.work, self.url, self.headers, self.server, self.body = name, work, url, headers, server, body

    def check(self):
        """Holds one answer against what was stored, in it or in the answer of the function that it is."""
        status, text = ask(self.url, self.body, self.headers)
        answer = json.loads(text) if status == 200 else {}
        page = json.loads(answer["body"]) if answer.get("statusCode") == 200 else answer
        names = [item["name"] for item in page.get("items", [])]
        if names != [ITEM["name"]]:
            sys.exit(f"{self.name} answers {status} {text[:1000]}")

    def load(self, seconds, connections):
        """Repeats the request for so long, and gives wrk's figures."""
        script = self.work / "load.lua"
        lines = [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in self.headers.items()]
        if self.body is not None:
            (self.work / "body").write_text(self.body)
            lines += ['wrk.method = "POST"', f'wrk.body = io.open("{self.work}/body"):read("*a")']
        script.write_text("\n".join(lines) + WRK)
        # A client that gives up early would leave out the slowest answers.
        computed = self.cpu_seconds()
        output = subprocess.check_output(
            ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s",
             "--timeout", "60s", "--script", script, self.url], text=True)
        figures = json.loads(output.splitlines()[-1])
        if figures["errors"]:
            sys.exit(f"{self.name}: {figures['errors']} of {figures['requests']} requests failed:\n{output}")
        if not figures["requests"]:
            sys.exit(f"{self.name} answered nothing:\n{output}")
        cpu = (self.cpu_seconds() - computed) / figures["requests"] * 1e6
        return figures | {"rate": figures["requests"] / figures["seconds"], "cpu": cpu}

    def memory(self):
        """The resident memory of the server and of its functions' processes, in MiB."""
        own, *functions = map(resident, self.processes())
        return own, sum(functions)

    def cpu_seconds(self):
        """What all of them have computed so far, the kernel for them included."""
        ticks = sum(sum(map(int, stat(process)[11:13])) for process in self.processes())
        return ticks / os.sysconf("SC_CLK_TCK")

    def processes(self):
        return tree(self.server)


def tree(process):
    """A process and all that it has started, itself first."""
    children = {}
    for one in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        children.setdefault(int(stat(one)[1]), []).append(one)
    found = [process]
    for one in found:
        found += children.get(one, [])
    return found


def stat(process):
    """What /proc says of a process behind its name; zeros of one that has just ended."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return ["0"] * 50


def resident(process):
    with contextlib.suppress(OSError):
        found = re.search(r"^VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{process}/status").read_text(), re.M)
        return int(found[1]) / 1024 if found else 0
    return 0


class Peak:
    """The most memory within a block."""

    def __init__(self, target):
        self.target, self.most, self.is_over = target, (0, 0), threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.is_over.wait(0.5):
            self.most = tuple(map(max, self.most, self.target.memory()))

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def stop(child):
    """Has a child stop that does so at the end of its standard input."""
    child.stdin.close()
    try:
        child.wait(30)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def start_keygate(bin, work, *options):
    """Starts a gateway, and gives it with what its ready file says and how long that took."""
    ready_file, log_file = (work / f"keygate-{time.monotonic_ns()}.{kind}" for kind in ("json", "log"))
    ports = [part for port in PORTS for part in (port, "0")]
    limits = [part for one in WITHOUT_LIMITS for part in ("--parameter", one)]
    command = [bin / "keygate", "--functions", bin, "--until-stdin-closes",
               "--ready-file", ready_file, *ports, *limits]
    with open(log_file, "w") as log:
        started = time.monotonic()
        child = subprocess.Popen([*command, *options], cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
    while not ready_file.exists():
        if child.poll() is not None:
            sys.exit(f"keygate does not start:\n{log_file.read_text()}")
        time.sleep(0.001)
    return child, json.loads(ready_file.read_text()), time.monotonic() - started


@contextlib.contextmanager
def keygate(bin, work, *options):
    child, ready, _ = start_keygate(bin, work, *options)
    try:
        headers = {"Authorization": f"Bearer {token(ready['issuer'])}"}
        target = Target("keygate", work, f"{ready['url']}/items", headers, child.pid)
        store(target)
        yield target, ready
    finally:
        stop(child)


@contextlib.contextmanager
def ministack(bin, work, functions):
    for name in functions:
        (work / "code" / name).mkdir(parents=True)
        shutil.copy(bin / name, work / "code" / name / "bootstrap")
    template = work / "code/template.yaml"
    source = (ROOT / "template.yaml").read_text()
    template.write_text(with_code(source, lambda function: f"{work}/code/{function}", work))
    command = ["deploy/measured-cloud", template, *WITHOUT_LIMITS]
    # Without the checks of roles, which keygate does not make either.
    environment = os.environ | {"KEYGATE_BIN": str(bin / "keygate"), "KEYGATE_CLOUD_AUTH": "false"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    child = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)
    try:
        line = child.stdout.readline().split()
        if not line:
            sys.exit("ministack does not serve the functions")
        url, issuer, server, usage_key = line
        # ministack takes the usage key from the client, never from the authorizer.
        headers = {"Authorization": f"Bearer {token(issuer)}", "X-Api-Key": usage_key}
        target = Target("ministack", work, f"{url}/items", headers, int(server))
        store(target)
        yield target
    finally:
        stop(child)


@contextlib.contextmanager
def watch(bin, work, ready):
    """`cargo lambda watch`, with the tables and the item of a running gateway."""
    port = free_port()
    tool = programs("build") / "cargo-lambda"
    command = [tool, "lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1",
               "--invoke-port", str(port)]
    settings = settings_of("items", bin, work, ready)
    settings |= {"AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt/items"}
    with open(work / "watch.log", "w") as log, contextlib.ExitStack() as started:
        def start(*command, **options):
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
            started.callback(lambda: (child.terminate(), child.wait()))
            return child.pid
        apis = start(*command, cwd=ROOT)
        wait_for(port)
        function = start(bin / "items", env=settings)
        event = (ROOT / "events/items-list.json").read_text()
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/items/invocations"
        target = Target("cargo lambda watch", work, url, {"Content-Type": "application/json"}, apis, event)
        target.processes = lambda: [apis, function]
        yield target


def settings_of(function, bin, work, ready):
    """What a function that is started by itself finds in its environment, beside a running gateway."""
    settings = dict(line.split("=", 1) for line in (ROOT / "events/local.env").read_text().splitlines()
                    if line and not line.startswith("#"))
    routes = work / "routes"
    routes.write_bytes(subprocess.check_output([bin / "keygate", "routes", "--output", "table"], cwd=ROOT))
    return settings | {
        "AWS_ENDPOINT_URL_DYNAMODB": ready["dynamodb"], "OAUTH_ISSUER": ready["issuer"],
        "USAGE_PLANS": settings["USAGE_PLANS"].strip('"'), "ROUTES_FILE": str(routes),
        "AWS_LAMBDA_FUNCTION_NAME": function, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "1"}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def wait_for(port):
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def store(target):
    """Stores the one item that is listed from then on."""
    headers = target.headers | {"Content-Type": "application/json"}
    status, answer = ask(target.url, json.dumps(ITEM), headers)
    if status != 201:
        sys.exit(f"{target.name} stores no item: {status} {answer[:1000]}")

"""What the scripts beside this know of builds: which functions there are and what is linked into them, where tools
are, and how a template names built code."""

import functools, json, pathlib, re, shutil, subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
CODE = re.compile(r"^( +CodeUri: )\S*functions/(\S+)$", re.M)
# A line of `cargo tree`.
CRATE = re.compile(r"(\d+)(\S+) v(\S+)")
# What `sam deploy` sends along for the Serverless Application Repository.
NAMED = re.compile(r"^    (?:License|Readme)Url: (.+)$", re.M)


def output_of(*command):
    return subprocess.check_output(command, cwd=ROOT, text=True).strip()


def programs(environment):
    """Where an environment of deploy/venv has its programs."""
    return pathlib.Path(output_of("bash", "-euc", f". deploy/venv; venv_{environment}"))


def functions():
    """The workspace's functions: those of its crates that are below functions/, by name."""
    metadata = json.loads(output_of("cargo", "metadata", "--no-deps", "--format-version=1", "--locked"))
    below = lambda one: ROOT / "functions" in pathlib.Path(one["manifest_path"]).parents
    return sorted(one["name"] for one in metadata["packages"] if below(one))


@functools.cache
def packages():
    """What cargo knows of each crate, those of others included, by name and version."""
    metadata = json.loads(output_of("cargo", "metadata", "--format-version=1", "--locked"))
    return {(one["name"], one["version"]): one for one in metadata["packages"]}


def linked(function, target):
    """Each crate that is linked into a function, as its name and version, with those that it stands on; the
    function first. Build scripts, procedural macros and tests are left out."""
    edges = ["--edges", "normal,no-proc-macro", "--target", target, "--prefix", "depth"]
    crates, above = {}, []
    for line in output_of("cargo", "tree", "--locked", "--package", function, *edges).splitlines():
        depth, *crate = CRATE.match(line).groups()
        del above[int(depth):]
        crates.setdefault(tuple(crate), set())
        if above:
            crates[above[-1]].add(tuple(crate))
        above.append(tuple(crate))
    return crates


def functions_of(template):
    """Those that a template's text has."""
    return [function for _, function in CODE.findall(template)]


def with_code(template, code, folder):
    """A template's text with `code(FUNCTION)` in place of each function's sources. The files that it names for the
    Application Repository are copied into `folder`, where it will stand."""
    for file in NAMED.findall(template):
        shutil.copy(ROOT / file, folder)
    return CODE.sub(lambda found: f"{found[1]}{code(found[2])}", template)

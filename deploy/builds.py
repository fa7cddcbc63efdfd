"""What deploy/package and deploy/measure both know of builds: which functions there are, where tools are, and how a
template names built code."""

import json, pathlib, re, shutil, subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
CODE = re.compile(r"^( +CodeUri: )\S*functions/(\S+)$", re.M)
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


def functions_of(template):
    """Those that a template's text has."""
    return [function for _, function in CODE.findall(template)]


def with_code(template, code, folder):
    """A template's text with `code(FUNCTION)` in place of each function's sources. The files that it names besides
    are copied into `folder`, where it will stand."""
    for file in NAMED.findall(template):
        shutil.copy(ROOT / file, folder)
    return CODE.sub(lambda found: f"{found[1]}{code(found[2])}", template)

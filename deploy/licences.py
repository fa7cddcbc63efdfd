"""The licences of what is linked into the functions besides Keygate's own code, with their texts: whoever hands a zip on
hands them on too."""

import re

from builds import ROOT, linked, output_of, packages

FILE = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)", re.I)
# Of a crate whose package holds no text, by what its licence may be.
STANDARD = {"MIT": "LICENSE-MIT", "Apache-2.0": "LICENSE-APACHE"}


def notices(functions, targets):
    """Which crates are in any of these functions for any of these targets, and their texts, each once."""
    crates = {crate for function in functions for target in targets for crate in linked(function, target)}
    # What comes from nowhere is of this repository.
    others = sorted(crate for crate in crates if packages()[crate]["source"])
    texts, lines = {}, []
    for crate in others:
        package = packages()[crate]
        numbers = [texts.setdefault(text, len(texts) + 1) for text in texts_of(package)]
        lines.append(line_of(*crate, package["license"], package["repository"], numbers))
    standard = [texts.setdefault(text, len(texts) + 1) for text in standard_texts("MIT OR Apache-2.0")]
    version = output_of("rustc", "--version").split()[1]
    lines.append(line_of("Rust's standard library", version, "MIT OR Apache-2.0", "https://github.com/rust-lang/rust", standard))
    head = "What others wrote that is in the functions of Keygate, and the numbers of the texts below that it is licensed by.\n"
    bodies = (f"\n---- [{number}] {'-' * 80}\n\n{text}\n" for text, number in texts.items())
    return "\n".join([head, *lines, ""]) + "".join(bodies)


def line_of(name, version, license, repository, numbers):
    """What is said of a crate."""
    return f"{name} {version}: {license}, {' '.join(f'[{one}]' for one in numbers)}, {repository or 'crates.io'}"


def texts_of(package):
    """The texts that come with a crate, or else the standard ones of its licence."""
    folder = (ROOT / package["manifest_path"]).parent
    files = sorted(one for one in folder.iterdir() if one.is_file() and FILE.match(one.name))
    return [one.read_text(errors="replace").strip() for one in files] or standard_texts(package["license"])


def standard_texts(license):
    """The texts of a licence without the name of who holds the copyright."""
    names = [name for name in re.split(r" OR | AND |/", license) if name in STANDARD]
    if not names:
        raise ValueError(f"no text of the licence {license}")
    texts = ((ROOT / STANDARD[name]).read_text() for name in names)
    return [re.sub(r"^Copyright .*\n+", "", text, flags=re.M).strip() for text in texts]

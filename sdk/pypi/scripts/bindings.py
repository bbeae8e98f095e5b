"""Generates wit_world and componentize_py_types from wit/ with the componentize-py of this Python or of the path. `--check`
compares instead of writing."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"


def made(folder: Path) -> dict[Path, str]:
    """What is generated, by its path below `src`."""
    own = Path(sys.executable).parent / "componentize-py"
    program = str(own) if own.exists() else shutil.which("componentize-py")
    if program is None:
        sys.exit("there is no componentize-py; sdk/build/src/tools.rs names the version to install with pip")
    wit = SOURCE / "tradepost_sdk" / "wit"
    subprocess.run([program, "--wit-path", wit, "--world", "shop", "bindings", folder], check=True)
    return contents(folder)


def contents(folder: Path) -> dict[Path, str]:
    """The generated files of a folder. What componentize-py adds for asynchronous worlds is used by none of ours."""
    files = [folder / "componentize_py_types.py", *(folder / "wit_world").rglob("*.py")]
    return {file.relative_to(folder): file.read_text() for file in files}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        new = made(Path(folder) / "made")
    old = contents(SOURCE)
    if "--check" in sys.argv:
        differs = sorted(str(name) for name in new.keys() | old.keys() if new.get(name) != old.get(name))
        if differs:
            sys.exit(f"src/ is not what wit/ says: {', '.join(differs)}; run scripts/bindings.py")
        return
    for name in old.keys() - new.keys():
        (SOURCE / name).unlink()
    for name, text in new.items():
        (SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
        (SOURCE / name).write_text(text)


if __name__ == "__main__":
    main()

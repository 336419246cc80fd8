"""An environment of a script's own, made of the packages from PyPI that a file of requirements
pins."""

import os
import subprocess
import sys
import venv


def enter(script, folder, requirements, arguments):
    """Goes on with the script in an environment in the folder that has the requirements."""
    python = folder / "bin" / "python"
    wanted = requirements.read_text()
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(folder, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", requirements], check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    os.execv(python, [python, script, *arguments])

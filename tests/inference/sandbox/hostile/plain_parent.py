"""A sandbox's parent that is no root: imports as root, whose Python others may not reach, then becomes a plain user."""

import os
import sys
from pathlib import Path

from foretell.inference.sandbox.environment import forget_environment
from foretell.inference.sandbox.landlock import readable_paths
from foretell.inference.sandbox.preloading import load_jobs
from foretell.inference.sandbox.serving import harden, serve

if __name__ == "__main__":
    forget_environment()
    socket_path, jobs_module, uid = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    jobs = load_jobs(jobs_module)
    readable_paths()  # remembered, since it imports
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    harden()
    serve(socket_path, jobs)

"""One RQ worker on one queue: `python worker.py`. Every mapper is configured before it forks."""

from mobilizer import logs
from mobilizer.installation import install
from mobilizer.jobs import run_worker
from mobilizer.settings import load_settings

if __name__ == "__main__":
    settings = load_settings()
    logs.configure(settings.log_level, settings.log_format)
    run_worker(install(settings))

"""How gunicorn serves the application; the environment decides the numbers, the command line wins over both."""

import os
from pathlib import Path

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8400')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
# Longer than the idle time of the usual proxies, so that it is never us who closes a connection in use.
keepalive = 75
timeout = 60
graceful_timeout = int(os.environ.get("WEB_GRACEFUL_SECONDS", "25"))
# The admin opens the app with an ID token, a host and a signature in one line.
limit_request_line = 8190
# A heartbeat on a slow disk would get busy workers killed.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - memory, made for this
# Requests are logged by the application, as JSON and without personal data.
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
proc_name = "loyalnest"

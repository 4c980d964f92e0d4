"""The local runtime behind `./dev.sh`: services, processes and verbs. The application never imports it."""

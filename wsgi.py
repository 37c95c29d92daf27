"""Any WSGI server's way in: `application`."""

from mobilizer import logs
from mobilizer.app import create_app
from mobilizer.settings import load_settings

settings = load_settings()
logs.configure(settings.log_level, settings.log_format)
application = create_app(settings)

"""One JSON object a line; what libraries say is told by its kind, as they may quote what was sent."""

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path


class JsonFormatter(logging.Formatter):
    """Writes the service's own events with their fields, and of other records the logger and the kind of the error."""

    def format(self, record):
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower()}
        if record.name == "billing":
            line |= {"event": record.getMessage(), **getattr(record, "fields", {})}
        else:
            line |= {"event": "library_message", "logger": record.name, "place": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[0]:
            line["kind"] = record.exc_info[0].__name__
            *_, raised = traceback.extract_tb(record.exc_info[2])
            line["raised"] = f"{Path(raised.filename).name}:{raised.lineno} in {raised.name}"
        return json.dumps(line)

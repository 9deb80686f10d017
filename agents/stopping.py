"""Contract of units that stop what a campaign runs outside.

They stop it for good when the campaign is cancelled, or over with its schedule, for a while when it is paused. A unit
that switches something off journals :data:`SWITCHING_OFF` before the call, so that one that dies in it leaves it known
whose doing it was, and only what these units have switched off for a while is switched on again.
"""

from __future__ import annotations

from typing import Literal

Wanted = Literal["off", "on", "end"]
Requested = Literal["off", "on", "end", "ordered"]  #: "end" of a campaign that has ended, the others of a paused one
OFF: Wanted = "off"
ON: Wanted = "on"
END: Wanted = "end"  #: the schedule of an ended campaign is over: off for good, and counted for the last time
ORDERED: Requested = "ordered"
SWITCHING_OFF = "switching_off"  #: journal entry of what was seen running and is then switched off: its remote id

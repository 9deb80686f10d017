"""Contract of units that stop what a campaign runs outside.

They stop it for good when the campaign is cancelled, for a while when it is paused. A unit that switches something off
journals :data:`SWITCHING_OFF` before the call, so that one that dies in it leaves it known whose doing it was, and only
what these units have switched off is switched on again.
"""

from __future__ import annotations

from typing import Literal

Wanted = Literal["off", "on"]
Requested = Literal["off", "on", "ordered"]  #: of a campaign that is paused for it
OFF: Wanted = "off"
ON: Wanted = "on"
ORDERED: Requested = "ordered"
SWITCHING_OFF = "switching_off"  #: journal entry of what was seen running and is then switched off: its remote id

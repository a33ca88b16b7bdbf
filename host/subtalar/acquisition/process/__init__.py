"""The acquisition process as others see it: how it is started, found again, and told what to do.

Loads neither estimator nor radio: what measures is imported by the new process alone.
"""

from subtalar.acquisition.process.acquisition import Acquisition
from subtalar.acquisition.process.body import raise_priority
from subtalar.acquisition.process.running_session import RunningSession, running_session
from subtalar.acquisition.process.start import start_acquisition

__all__ = ["Acquisition", "RunningSession", "raise_priority", "running_session", "start_acquisition"]

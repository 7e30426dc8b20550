"""One incident while its workers are killed and paused and people read it: nothing is lost, and it always replays."""

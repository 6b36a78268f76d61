"""The sound of dances in numbers: 16 kHz, amplitudes of 16 bits, ten frames a second (Music-Dance-Video-Synthesis)."""

RATE = 16_000  # amplitudes a second
FRAME_RATE = 10  # frames of a dance, or of its video, a second
PIECE = RATE // FRAME_RATE  # amplitudes of one frame
FULL = 32_768.0  # the amplitude that a file calls 1

"""The models that can be asked for, and the settings that each of them takes. A new model is one line."""

from collections.abc import Mapping

FUN_ASR = frozenset(
    {
        "channel_id",
        "diarization_enabled",
        "language_hints",
        "speaker_count",
        "special_word_filter",
        "speech_noise_threshold",
        "vocabulary_id",
    }
)

MODELS: Mapping[str, frozenset[str]] = {
    "fun-asr": FUN_ASR,
    "fun-asr-2025-11-07": FUN_ASR,
    "fun-asr-2025-08-25": FUN_ASR,
    "fun-asr-mtl": FUN_ASR,
    "fun-asr-mtl-2025-08-25": FUN_ASR,
}

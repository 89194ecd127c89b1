"""Published figures on the same files and protocol, with their sources."""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """Recall@10 and NDCG@10 as printed; None where the source has none."""

    name: str
    source: str
    recall: float
    ndcg: float | None


_TIGER = "arXiv 2305.05065"
_GRAM = "arXiv 2506.01673"
_ESASREC = "arXiv 2508.06450"
_GSASREC = "arXiv 2309.07602"
_ICSREC = "arXiv 2310.14318"

# Leave-one-out, full ranking.
LADDER: dict[str, list[Published]] = {
    "amazon-beauty": [
        Published("SASRec, BCE loss", f"{_TIGER}, table 1", 0.0605, 0.0318),
        Published("GRU4Rec", _GRAM, 0.0643, 0.0357),
        Published("TIGER", _TIGER, 0.0648, 0.0384),
        Published("ActionPiece", "arXiv 2502.13581", 0.0775, 0.0424),
        Published("GRAM", _GRAM, 0.0890, 0.0531),
        Published("SASRec, sampled softmax", _ESASREC, 0.0921, 0.0531),
        Published("eSASRec", _ESASREC, 0.0928, 0.0523),
        Published("ICSRec", _ICSREC, 0.0960, 0.0579),
    ],
    "amazon-sports": [
        Published("SASRec, BCE loss", f"{_TIGER}, table 1", 0.0350, 0.0192),
        Published("GRU4Rec", _GRAM, 0.0373, 0.0197),
        Published("TIGER", _TIGER, 0.0400, 0.0225),
        Published("ActionPiece", "arXiv 2502.13581", 0.0500, 0.0264),
        Published("GRAM", _GRAM, 0.0554, 0.0314),
        Published("SASRec, sampled softmax", _ESASREC, 0.0569, 0.0314),
        Published("eSASRec", _ESASREC, 0.0560, 0.0323),
        Published("ICSRec", _ICSREC, 0.0565, 0.0335),
    ],
    "ml-1m": [
        Published("SASRec, BCE loss", _GSASREC, 0.2500, 0.1341),
        Published("SASRec, sampled softmax", _GSASREC, 0.3152, 0.1821),
        Published("FuXi-alpha", _ESASREC, 0.3164, 0.1813),
        Published("eSASRec", _ESASREC, 0.3133, 0.1772),
        Published("ICSRec", _ICSREC, 0.3368, 0.2007),
    ],
}

# Targets on items without a train event.
COLD: dict[str, list[Published]] = {
    "amazon-beauty": [Published("LIGER", "arXiv 2411.18814", 0.1008, None)],
    "amazon-sports": [Published("LIGER", "arXiv 2411.18814", 0.0585, None)],
}

# Top-k accuracy of TFRS's basic retrieval tutorial, seen items not removed.
TFRS_TUTORIAL: dict[str, dict[int, float]] = {
    "ml-100k": {10: 0.0212, 100: 0.2334},
}

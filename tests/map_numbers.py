"""What a map keeps of its codes, in NumPy: the referee of the perplexity explorer."""

import numpy as np
from scipy.spatial.distance import cdist, pdist


def kept_neighbours(codes: np.ndarray, flat: np.ndarray, k: int) -> float:
    """Of each code's k nearest, how many are also among the k nearest on the map, on average; ties by number."""
    near = []
    for points in (codes, flat):
        apart = cdist(points, points, "sqeuclidean")
        np.fill_diagonal(apart, np.inf)
        near.append(np.argsort(apart, axis=1, kind="stable")[:, :k])
    return float(np.mean([len(set(one) & set(other)) for one, other in zip(*near, strict=True)]))


def ratios(points: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """The widest class's size over the narrowest's, and the largest distance of two classes over the smallest; 1 for one class."""
    own = [points[labels == label] for label in np.unique(labels)]
    middles = np.stack([np.median(each, axis=0) for each in own])
    sizes = [np.median(np.linalg.norm(each - middle, axis=1)) for each, middle in zip(own, middles, strict=True)]
    apart = pdist(middles) if len(own) > 1 else np.ones(1)
    return max(sizes) / min(sizes), apart.max() / apart.min()


def preserved(codes: np.ndarray, flat: np.ndarray, labels: np.ndarray, k: int) -> dict[str, float]:
    """The five numbers of the explorer's table, by its names."""
    (size, apart), (size_there, apart_there) = ratios(codes, labels), ratios(flat, labels)
    found = {"sizeCodes": size, "apartCodes": apart, "sizeMap": size_there, "apartMap": apart_there}
    return found | {"kept": kept_neighbours(codes, flat, k)}

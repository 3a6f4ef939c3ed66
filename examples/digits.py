"""Train on scikit-learn's digits, score the model, draw samples: python examples/digits.py.

1797 images of 8x8 pixels come with scikit-learn, which nws does not need otherwise:
pip install scikit-learn, or nws[examples]. Half a minute on two cores; writes digits.png.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import nws

EPOCHS = 30
ROWS, COLUMNS = 5, 10


def main() -> None:
    images = load_digits().data / 16.0  # (1797, 64), values in [0, 1]
    images = np.random.default_rng(0).permutation(images)
    train, test = images[:1500], (images[1500:] >= 0.5).astype(float)

    model = nws.HelmholtzMachine([64, 40, 20, 10])
    fit = nws.fit(model, train, algorithm="nrws", epochs=EPOCHS, binarization="round")
    print(f"{fit.status}: validation loss {fit.history[-1].valid_loss:.2f} nats")
    print(f"test log-likelihood: {model.log_likelihood(test, 1000).mean():.2f} nats an image")

    draw(model.sample(ROWS * COLUMNS), "digits.png")
    print("samples: digits.png")


def draw(samples: np.ndarray, path: str) -> None:
    """Rows of samples, (n, 64), as one picture."""
    tiles = samples.reshape(ROWS, COLUMNS, 8, 8)
    framed = np.pad(tiles, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=0.5)
    picture = framed.transpose(0, 2, 1, 3).reshape(ROWS * 10, COLUMNS * 10)
    plt.imsave(path, np.kron(picture, np.ones((6, 6))), cmap="gray")


if __name__ == "__main__":
    main()

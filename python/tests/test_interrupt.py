"""Ctrl-C stops every long call, and other threads run meanwhile: the one that sends the signal is
one of them."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import signfold
from conftest import sparse_rows

# Each of these would compute for ten seconds to days. The first word is the function.
LONG = {
    "fit": 'signfold.fit(x, decoder="network:2", steps=10**9)',
    "fit_prior": 'signfold.fit_prior("sparse-gaussian:0.1", 256, decoder="network:2", steps=10**9)',
    "train": 'signfold.train("gaussian", 16, rate=1, steps=10**9)',
    "fit staged": 'signfold.fit(np.tile(x, (200, 1)), rate=8, encoder="staged")',
    "train stages": 'signfold.train("gaussian", 16, stages=[8, 8], steps=10**9)',
    "encode": "model.encode(zeros[: 1 << 21])",
    "decode": "model.decode(many, threads=1)",
    "evaluate": "model.evaluate(zeros)",
    "encode_file": "model.encode_file(zeros, folder + '/codes')",
    "decode_file": "model.decode_file(folder + '/many', folder + '/back.npy', threads=1)",
    "save": "replace(rows, bits=zero_bytes, scales=zero_scales).save(folder + '/codes')",  # 8 GB
    "sample": 'signfold.priors.sample("gaussian", 1 << 18, 1 << 10, threads=1)',
    "posterior": 'seen("posterior"); signfold.priors.posterior("gaussian", np.zeros(1 << 27), 2.0)',
    "simulate": 'signfold.simulate("gaussian", 1, samples=10**9)',
}

SCRIPT = """
import os, resource, signal, sys, threading, time, traceback
from dataclasses import replace
import numpy as np, signfold

folder = sys.argv[1]
x = signfold.priors.sample("sparse-gaussian:0.1", 100, 256)
model = signfold.fit_prior("sparse-gaussian:0.1", 2048, rate=4, decoder="rigamp:64")
path = folder + "/zeros"
open(path, "w").close()
os.truncate(path, 1 << 36)
zeros = np.memmap(path, dtype=np.float32, mode="r", shape=(1 << 23, 2048))
zero_bytes = zeros.view(np.uint8)[:, : model.bits // 8]
zero_scales = np.zeros(len(zeros), dtype=np.float32)
rows = model.encode(signfold.priors.sample("sparse-gaussian:0.1", 4, 2048))
many = rows[np.zeros(40000, dtype=int)]
many.save(folder + "/many")
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 32,) * 2)  # whatever is not stopped leaves room
main = threading.main_thread().ident

module = "signfold."

def seen(name):  # of a function that does something slow in Python first: the one in C++
    global module
    module, core = "__main__", getattr(signfold._core, name)
    def posterior(*values):
        return core(*values)
    setattr(signfold._core, name, posterior)

def in_call():
    frame = sys._current_frames()[main]
    return frame.f_globals["__name__"].startswith(module) and frame.f_code.co_name == NAME

def interrupt():
    while not in_call():
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
handler = signal.getsignal(signal.SIGINT)
start = time.thread_time()
try:
    CALL
    print("not interrupted")
except KeyboardInterrupt as error:
    assert time.thread_time() - start < 3  # Python's own comes when all is done
    assert traceback.extract_tb(error.__traceback__)[-1].name == NAME
    model.encode(np.ones((1, 2048)))  # the request is forgotten
    assert signal.getsignal(signal.SIGINT) is handler
    try:
        os.kill(os.getpid(), signal.SIGINT)  # and Python's own handler is back
        time.sleep(10)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.parametrize("name", LONG)
def test_control_c(name, tmp_path):
    script = SCRIPT.replace("NAME", repr(name.split()[0])).replace("CALL", LONG[name])
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "interrupted\n", done.stderr
    files = {p.name for p in tmp_path.iterdir()}
    assert files == {"zeros", "many"}  # none that is half-written


OWN_HANDLER = """
import os, signal, threading, time
import signfold

class Stop(Exception):
    pass

def handle(signum, frame):
    raise Stop

signal.signal(signal.SIGINT, handle)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    signfold.train("gaussian", 16, rate=1, steps=10**9)
except Stop:
    print("stopped")
signal.signal(signal.SIGINT, signal.SIG_IGN)
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
signfold.train("gaussian", 16, rate=1, steps=2000)
print("ignored")
"""


def test_the_handler_of_the_host_decides():
    done = subprocess.run(
        [sys.executable, "-c", OWN_HANDLER],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "stopped\nignored\n", done.stderr


def test_calls_on_many_threads_at_once():
    """Fits change the number of BLAS threads, encoders of matrices use BLAS: all give what they
    give alone."""
    x = sparse_rows(400, 64)
    model = signfold.fit(x, encoder="haar", rate=2)
    wanted = model.decode(model.encode(x))
    results = []

    def work(k):
        if k % 3 == 0:
            results.append(
                signfold.fit(x, encoder="haar", rate=2, threads=1 + k % 2).fingerprint
                == model.fingerprint
            )
        else:
            results.append(
                np.array_equal(model.decode(model.encode(x, threads=k), threads=k), wanted)
            )

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 6

#!/bin/bash
# Two simulated hosts: network namespaces, a veth pair limited by tbf, TCP. Needs root, iproute2, mpi4py and mpich.
# Usage: tests/mpi/two_hosts.sh [RATE in Mbit/s] [HIDDEN_SIZE]; prints the time to add up gradients, and of whole steps.
set -e
rate=${1:-1000} size=${2:-256} bin=$PWD/.venv/bin work=$(mktemp -d)
clean() { ip netns del charrnn0 2>/dev/null || true; ip netns del charrnn1 2>/dev/null || true; rm -rf "$work"; }
trap clean EXIT
for host in 0 1; do
    ip netns add charrnn$host
    ip -n charrnn$host link set lo up
done
ip link add wire netns charrnn0 type veth peer name wire netns charrnn1
for host in 0 1; do
    ip -n charrnn$host addr add 10.99.0.$((host + 1))/24 dev wire
    ip -n charrnn$host link set wire up
    ip netns exec charrnn$host tc qdisc add dev wire root tbf rate "${rate}mbit" burst 1mb latency 50ms
done
sleep 2 # until the links have a carrier
# mpiexec starts one proxy per host with this in place of ssh: HOST COMMAND...
cat >"$work/enter" <<'EOF'
#!/bin/bash
while [[ $1 == -* ]]; do shift; done
host=$1; shift
exec ip netns exec "charrnn$((${host##*.} - 1))" bash -c "$*"
EOF
cat >"$work/add.py" <<'EOF'
import sys, time
import numpy as np
from charrnn.training.group import MPIGroup
group, mbit = MPIGroup(), float(sys.argv[1])
for count in (250_000, 1_000_000, 2_000_000):
    vector, times = np.ones(count, np.float32), []
    for _ in range(8):
        group.add(vector, [])
        start = time.perf_counter()
        group.add(vector, [0.0])
        times.append(time.perf_counter() - start)
    model = 2 * (group.size - 1) / group.size * vector.nbytes * 8 / (mbit * 1e6)
    if group.rank == 0:
        print(f"{count:,} weights: {1e3 * np.median(times):.1f} ms, cost model {1e3 * model:.1f} ms")
group.mpi.Finalize()
EOF
chmod +x "$work/enter"
two() {
    ip netns exec charrnn0 env MPIR_CVAR_NOLOCAL=1 UCX_TLS=tcp UCX_NET_DEVICES=wire "$bin/mpiexec" \
        -launcher ssh -launcher-exec "$work/enter" -hosts 10.99.0.1,10.99.0.2 -n 2 -ppn 1 "$@"
}
options="--cell gru --layers 1 --hidden-size $size --seq-length 64 --steps 30 --eval-every 1000 --val-fraction 0 --lr 0.003
    --dropout 0 --no-baselines -q --force"
steps() { "$bin/python" -c "import charrnn; print(f'{charrnn.load(\"$1\").run.seconds / 30 * 1000:.1f}')"; }
cd "$work"
two "$bin/python" add.py "$rate"
"$bin/charrnn" train :tales $options --batch-size 32 --workers 1 -m one.npz
"$bin/charrnn" train :tales $options --batch-size 64 --workers 2 -m same.npz
two "$bin/charrnn" train :tales $options --batch-size 64 --workers 1 -m two.npz
echo "$rate Mbit/s, GRU 1 x $size, ms per step: 32 streams $(steps one.npz); 64 streams, two workers $(steps same.npz)," \
    "two hosts $(steps two.npz)"

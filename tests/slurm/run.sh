#!/usr/bin/env bash
# Tries profiles/slurm on a real SLURM: a cluster of one node, this machine, for a quarter of an hour.
#
#     make .venv/.ready
#     sudo tests/slurm/run.sh
#
# Debian 12, as root, from a checkout with its environment. Installs the packages slurm-wlm and
# munge, and refuses to start where SLURM is configured already. The smoke scale is made twice:
# here, undisturbed; and by SLURM, where one training is stopped three times, in the three ways a
# cluster does it. The results must be the same. What it wrote stays in $TRIAL (default: a new
# folder); the daemons and their configuration do not.
set -euo pipefail
cd "$(dirname "$0")/../.."

PYTHON="${PYTHON:-$PWD/.venv/bin/python}"
TRIAL="${TRIAL:-$(mktemp -d -t nws-slurm-XXXXXX)}"
PLUGIN=(snakemake-executor-plugin-slurm==2.8.0 snakemake-executor-plugin-slurm-jobstep==0.6.1
    throttler==1.2.3)
CONF=/etc/slurm/slurm.conf
GRES=/etc/slurm/gres.conf
# One training is long enough to be stopped in its middle.
SMOKE=(--configfile config/smoke.yaml --config
    "experiments={mnist: {runs: {rws: {epochs: ${EPOCHS:-2000}}}}}")
LOG=results/smoke/logs/train/mnist/rws_seed0.log

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

die() {
    echo "tests/slurm/run.sh: $1" >&2
    exit 1
}

get_packages() {
    [[ $EUID == 0 ]] || die "run it as root: it installs packages and starts daemons"
    [[ ! -e $CONF ]] || die "$CONF is there: not on a machine that belongs to a cluster"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        slurm-wlm munge >"$TRIAL/apt.log"
    # Beside the environment, not in it: its packages are pinned.
    "$PYTHON" -m pip install --quiet --no-deps --target "$TRIAL/plugin" "${PLUGIN[@]}"
    export PYTHONPATH="$TRIAL/plugin:$PWD${PYTHONPATH:+:$PYTHONPATH}"
}

# No cgroups, no accounting: a container has the first and a toy needs the second as little as that.
# The GPU is /dev/null; what counts is that jobs ask for it, and get it one at a time.
configure() {
    local host
    host="$(hostname -s)"
    cat >"$CONF" <<CONF
ClusterName=trial
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation=$TRIAL/state
SlurmdSpoolDir=$TRIAL/spool
SlurmctldLogFile=$TRIAL/slurmctld.log
SlurmdLogFile=$TRIAL/slurmd.log
SlurmctldPidFile=$TRIAL/slurmctld.pid
SlurmdPidFile=$TRIAL/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=600
KillWait=30
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=8000 Gres=gpu:1 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    echo "NodeName=$host Name=gpu File=/dev/null" >"$GRES"
    mkdir -p "$TRIAL/state" "$TRIAL/spool"
}

start() {
    trap stop EXIT
    configure
    install -d -o munge -g munge -m 755 /run/munge
    runuser -u munge -- munged
    slurmctld
    slurmd
    wait_for "the node is idle" node_idle
    sinfo --version
    sinfo
}

node_idle() { [[ "$(sinfo -h -o %T 2>/dev/null)" == idle ]]; }

stop() {
    step "stop"
    [[ -z "${SNAKEMAKE:-}" ]] || kill -INT "$SNAKEMAKE" 2>/dev/null || true
    scancel --user root 2>/dev/null || true
    for daemon in "$TRIAL/slurmd.pid" "$TRIAL/slurmctld.pid" /run/munge/munged.pid; do
        [[ ! -s $daemon ]] || kill "$(<"$daemon")" 2>/dev/null || true
    done
    rm -f "$CONF" "$GRES"
    echo "Logs and results: $TRIAL"
}

wait_for() {
    local what="$1" end=$((SECONDS + 600))
    shift
    until "$@"; do
        ((SECONDS < end)) || die "waited in vain: $what"
        [[ -z "${SNAKEMAKE:-}" ]] || kill -0 "$SNAKEMAKE" 2>/dev/null || die "Snakemake has ended"
        sleep 0.5
    done
}

snakemake() {
    local folder="$1"
    shift
    "$PYTHON" -m snakemake --directory "$folder" "${SMOKE[@]}" "$@"
}

# The options after the profile are the toy's: it keeps no accounts, and nobody waits for its status.
by_slurm() {
    snakemake "$TRIAL/slurm" --profile profiles/slurm --slurm-no-account \
        --slurm-status-command squeue --slurm-init-seconds-before-status-checks 5 \
        >"$TRIAL/snakemake.log" 2>&1
}

# The job that trains mnist/rws; the plugin says so in the comment.
job() { squeue -h -t running -o '%i %k' | awk '/rule_train_.*rws/ {print $1}'; }

# Whether the training said so, so many times.
said() {
    local times
    times="$(grep -c "$1" "$TRIAL/slurm/$LOG" 2>/dev/null)"
    ((${times:-0} >= ${2:-1}))
}
# The second line of progress: ten seconds after the first.
training() { [[ -n "$(job)" ]] && said "train loss" 2 && ! said "stopped by"; }
training_again() { training && said "going on at"; }
stopped() { said "stopped by signal 15"; }
requeued() { squeue -h -o '%i %k %r' | grep -q "rule_train_.*rws.*BeginTime"; }

# A log is written anew by each attempt: what it says is about the last.
disturb() {
    wait_for "the training is under way" training
    step "a signal"
    scancel --signal=TERM "$(job)"
    wait_for "a checkpoint was written" stopped

    wait_for "the training goes on" training_again
    step "the end of its time"
    scontrol update "JobId=$(job)" TimeLimit=1
    wait_for "a checkpoint was written" stopped

    wait_for "the training goes on" training_again
    step "its node is taken away"
    scontrol requeue "$(job)"
    wait_for "the job is queued again" requeued
    # SLURM lets a job rest for two minutes.
    scontrol update "JobId=$(squeue -h -t pending -o '%i %k' | awk '/rws/ {print $1}')" \
        StartTime=now
}

mkdir -p "$TRIAL/whole" "$TRIAL/slurm"
step "packages"
get_packages
step "the smoke scale, here"
snakemake "$TRIAL/whole" --cores all >"$TRIAL/whole.log" 2>&1
step "the cluster"
start
step "the smoke scale, by SLURM"
by_slurm &
SNAKEMAKE=$!
disturb
wait "$SNAKEMAKE" || die "Snakemake failed: $TRIAL/snakemake.log"
SNAKEMAKE=
step "compare"
"$PYTHON" tests/same.py "$TRIAL/whole/results/smoke" "$TRIAL/slurm/results/smoke"

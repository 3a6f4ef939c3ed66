rule train:
    input:
        data=lambda wildcards: data_of(run_of(wildcards)),
    output:
        [f"{RUN}/{name}" for name in TRAINED],
    log:
        f"{ROOT}/logs/train/{{experiment}}/{{run}}_seed{{seed}}.log",
    benchmark:
        f"{ROOT}/benchmarks/train/{{experiment}}/{{run}}_seed{{seed}}.tsv"
    conda:
        "../../environment.yml"
    threads: lambda wildcards: threads_of(wildcards.experiment)
    resources:
        gpu=GPU,
        mem_mb=4000,
        runtime=1440,
    params:
        root=folder,
        settings=lambda wildcards: settings_of(run_of(wildcards), scored=False),
        code=TRAINING_CODE,
    message:
        "Training {wildcards.experiment}/{wildcards.run}, seed {wildcards.seed}"
    shell:
        'exec "$NWS_PYTHON" -m nws.cli train {wildcards.experiment}/{wildcards.run} --seed {wildcards.seed} --threads {threads} --again'
        " --results {params.root:q} > {log:q} 2>&1"


rule evaluate:
    input:
        [f"{RUN}/{name}" for name in TRAINED],
        data=lambda wildcards: data_of(run_of(wildcards)),
    output:
        [f"{RUN}/{name}" for name in EVALUATED],
    log:
        f"{ROOT}/logs/evaluate/{{experiment}}/{{run}}_seed{{seed}}.log",
    benchmark:
        f"{ROOT}/benchmarks/evaluate/{{experiment}}/{{run}}_seed{{seed}}.tsv"
    conda:
        "../../environment.yml"
    threads: lambda wildcards: threads_of(wildcards.experiment)
    resources:
        gpu=GPU,
        mem_mb=4000,
        runtime=240,
    params:
        root=folder,
        settings=lambda wildcards: settings_of(run_of(wildcards)),
        code=EVALUATION_CODE,
    message:
        "Evaluating {wildcards.experiment}/{wildcards.run}, seed {wildcards.seed}"
    shell:
        'exec "$NWS_PYTHON" -m nws.cli evaluate {wildcards.experiment}/{wildcards.run} --seed {wildcards.seed} --threads {threads}'
        " --results {params.root:q} > {log:q} 2>&1"


# Short runs share a process: starting TensorFlow takes longer than some of them.
for label, experiment, runs, seed in chunks():

    rule:
        name:
            f"train_{label}"
        input:
            data=data_of(*runs),
        output:
            outputs(experiment, TRAINED + EVALUATED, [run.name for run in runs], [seed]),
        log:
            f"{ROOT}/logs/train/{label}.log",
        benchmark:
            f"{ROOT}/benchmarks/train/{label}.tsv"
        conda:
            "../../environment.yml"
        threads: threads_of(experiment, len(runs))
        resources:
            gpu=GPU,
            mem_mb=4000,
            runtime=1440,
        params:
            root=folder,
            runs=[f"{experiment}/{run.name}" for run in runs],
            seed=seed,
            settings=settings_of(*runs),
            code=TRAINING_CODE + EVALUATION_CODE,
        message:
            f"Training and evaluating {len(runs)} runs of {experiment}, seed {seed}"
        shell:
            'exec "$NWS_PYTHON" -m nws.cli train {params.runs:q} --seed {params.seed} --evaluate --threads {threads} --again'
            " --results {params.root:q} > {log:q} 2>&1"

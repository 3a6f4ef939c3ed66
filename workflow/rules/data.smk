rule prepare:
    input:
        source_of,
    output:
        f"{ROOT}/data/{{dataset}}.npz",
        f"{ROOT}/data/{{dataset}}.json",
    log:
        f"{ROOT}/logs/prepare/{{dataset}}.log",
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        root=folder,
        settings=lambda wildcards: CONFIG.datasets[wildcards.dataset].model_dump_json(),
        content=lambda wildcards: content_of(wildcards.dataset),
        code=DATA_CODE,
    message:
        "Preparing the data set {wildcards.dataset}"
    shell:
        'exec "$NWS_PYTHON" -m nws.cli prepare {wildcards.dataset}'
        " --results {params.root:q} > {log:q} 2>&1"

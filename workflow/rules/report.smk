rule report:
    input:
        results_of(RUNS),
        [f"{ROOT}/figures/{name}.svg" for name in figures.NAMES],
        [f"{ROOT}/tables/{name}.csv" for name in tables.NAMES],
        [path for path in [f"{ROOT}/benchmark.json"] if Path(path).is_file()],
    output:
        shown(f"{ROOT}/report.html", "Report", "Everything on one page"),
        shown(f"{ROOT}/claims.csv", "Report", "The paper's claims, each with a verdict"),
    log:
        f"{ROOT}/logs/report.log",
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        root=folder,
        asked=ASKED,
        code=REPORTING_CODE,
        templates=template_hash(),
    message:
        "Writing {output[0]}"
    shell:
        'exec "$NWS_PYTHON" -m nws.cli report'
        " --results {params.root:q} > {log:q} 2>&1"

# One rule per figure and table, so that `snakemake fig3` and `snakemake table1` make just that.
for figure in figures.NAMES:

    rule:
        name:
            figure
        input:
            results_of(figures.requires(figure, CONFIG)),
        output:
            [f"{ROOT}/figures/{figure}.{kind}" for kind in ("svg", "png", "csv")],
        log:
            f"{ROOT}/logs/figures/{figure}.log",
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            root=folder,
            name=figure,
        message:
            f"Drawing {figure}"
        shell:
            "nws figure {params.name}"
            " --config {params.root:q}/config.json --results {params.root:q} > {log:q} 2>&1"


for table in tables.NAMES:

    rule:
        name:
            table
        input:
            results_of(tables.requires(table, CONFIG)),
        output:
            f"{ROOT}/tables/{table}.csv",
        log:
            f"{ROOT}/logs/tables/{table}.log",
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            root=folder,
            name=table,
        message:
            f"Making {table}"
        shell:
            "nws table {params.name}"
            " --config {params.root:q}/config.json --results {params.root:q} > {log:q} 2>&1"

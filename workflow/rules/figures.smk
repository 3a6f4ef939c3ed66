import yaml

CAPTIONS = yaml.safe_load((TEMPLATES / "captions.yaml").read_text(encoding="utf-8"))
TITLES = {name: caption["title"] for name, caption in CAPTIONS.items()}


def shown(path, category, title):
    """An output that `snakemake --report` embeds, under a category and with a title."""
    return report(
        path,
        category=category,
        labels={"name": Path(path).stem, "shows": title},
        caption="../../report/caption.rst",
    )


# One rule per figure and table, so that `snakemake fig3` and `snakemake table1` make just that.
for figure in figures.NAMES:

    rule:
        name:
            figure
        input:
            results_of(figures.requires(figure, CONFIG)),
        output:
            f"{ROOT}/figures/{figure}.svg",
            shown(f"{ROOT}/figures/{figure}.png", "Figures", TITLES[figure]),
            f"{ROOT}/figures/{figure}.csv",
        log:
            f"{ROOT}/logs/figures/{figure}.log",
        localrule: True
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            root=folder,
            name=figure,
            asked=ASKED,
            code=REPORTING_CODE,
        message:
            f"Drawing {figure}"
        shell:
            'exec "$NWS_PYTHON" -m nws.cli figure {params.name}'
            " --results {params.root:q} > {log:q} 2>&1"


for table in tables.NAMES:

    rule:
        name:
            table
        input:
            results_of(tables.requires(table, CONFIG)),
        output:
            shown(f"{ROOT}/tables/{table}.csv", "Tables", TITLES[table]),
        log:
            f"{ROOT}/logs/tables/{table}.log",
        localrule: True
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            root=folder,
            name=table,
            asked=ASKED,
            code=REPORTING_CODE,
        message:
            f"Making {table}"
        shell:
            'exec "$NWS_PYTHON" -m nws.cli table {params.name}'
            " --results {params.root:q} > {log:q} 2>&1"

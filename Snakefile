# Natural (Reweighted) Wake-Sleep: lists what there is to make; workflow/rules say how.
from snakemake.utils import min_version

min_version("9.20")


report: "report/workflow.rst"


include: "workflow/rules/common.smk"


rule all:
    default_target: True
    input:
        f"{ROOT}/report.html",
        results_of(RUNS),  # a report that `nws report` has written before is not all


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


localrules:
    all,


onstart:
    begin()


onerror:
    print(RECOVERY, file=sys.stderr)

/* Findings as a table: a row for every claim, study, setting and column, and below the rows of
   several columns one for all of them. */

#include "claims.h"
#include <math.h>
#include <string.h>

static const char header[] =
    "claim,number,sentence,study,setting,compared,column,unit,claimed,margin,n,value,low,high,"
    "verdict,left_out,diverged,failed,pending,censored,note";

static const char *words(const ip_text *text)
{
  return text->text ? text->text : "";
}

/* column: "all" stands for those of the block, which compare different columns where bins
   do. */
static void put_head(const claim *c, const finding *f, const char *column, csv *table)
{
  const bool varied = c->how == BINS && strcmp(column, "all") == 0;

  csv_text(table, c->id);
  csv_text(table, c->number);
  csv_text(table, c->sentence);
  csv_text(table, f->study ? f->study->name : "");
  csv_text(table, words(&f->setting));
  csv_text(table, varied ? "" : words(&f->compared));
  csv_text(table, column);
  csv_text(table, c->unit);
  csv_text(table, c->side == AT_LEAST ? "at least" : "at most");
  csv_number(table, c->how == SHOWN ? (double)NAN : c->margin);
}

static PetscErrorCode put_finding(const sweep *s, const finding *f, csv *table)
{
  const claim *c = claim_row(f->claim);

  put_head(c, f, f->column == SWEEP_NONE ? "" : s->column[f->column], table);
  csv_count(table, f->effect.n);
  csv_interval(table, &f->effect);
  csv_text(table, verdict_name(f->verdict));
  csv_count(table, f->left_out);
  csv_count(table, f->diverged);
  csv_count(table, f->failed);
  csv_count(table, f->pending);
  csv_number(table, f->has_censored ? (double)f->censored : (double)NAN);
  csv_text(table, words(&f->note));
  return csv_end(table);
}

PetscErrorCode claims_columns(const sweep *s, size_t n, const finding first[], verdict which,
                              ip_text *text)
{
  bool any = false;

  for (size_t i = 0; i < n; i++) {
    if (first[i].verdict != which || first[i].column == SWEEP_NONE) continue;
    if (!any)
      PetscCall(ip_text_add(text, "%s%s:", text->length > 0 ? "; " : "", verdict_name(which)));
    PetscCall(ip_text_add(text, " %s", s->column[first[i].column]));
    any = true;
  }
  return PETSC_SUCCESS;
}

/* What the columns of a block say together. */
static PetscErrorCode put_common(const sweep *s, size_t n, const finding first[], csv *table)
{
  bool depends;
  const verdict common = claims_common(n, first, &depends);
  ip_text note = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  put_head(claim_row(first->claim), first, "all", table);
  for (int empty = 0; empty < 4; empty++) csv_text(table, ""); /* n, value, low, high */
  csv_text(table, depends ? "depends on the estimator" : verdict_name(common));
  for (int empty = 0; empty < 5; empty++) csv_text(table, "");
  for (verdict v = AGREES; v <= NOT_TESTED && !code; v++)
    code = claims_columns(s, n, first, v, &note);
  csv_text(table, words(&note));
  ip_text_clear(&note);
  return code ? code : csv_end(table);
}

PetscErrorCode claims_write(const sweep *s, const findings *all, csv *table)
{
  PetscCall(csv_header(table, header));
  for (size_t i = 0; i < all->n;) {
    const size_t n = claims_block(all, i);
    const finding *first = &all->finding[i];

    for (size_t k = 0; k < n; k++) PetscCall(put_finding(s, &first[k], table));
    if (first->column != SWEEP_NONE) PetscCall(put_common(s, n, first, table));
    i += n;
  }
  return PETSC_SUCCESS;
}

PetscErrorCode claims_write_definitions(csv *table)
{
  const claim *c;

  PetscCall(
      csv_header(table, "claim,number,sentence,who,definition,unit,claimed,margin,reason"));
  for (size_t i = 0; (c = claim_row(i)) != NULL; i++) {
    csv_text(table, c->id);
    csv_text(table, c->number);
    csv_text(table, c->sentence);
    csv_text(table, c->who);
    csv_text(table, c->definition);
    csv_text(table, c->unit);
    csv_text(table, c->side == AT_LEAST ? "at least" : "at most");
    csv_number(table, c->how == SHOWN ? (double)NAN : c->margin);
    csv_text(table, c->reason);
    PetscCall(csv_end(table));
  }
  return PETSC_SUCCESS;
}

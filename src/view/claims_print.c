/* Findings for people: for every claim what each study says to it, at most 100 columns wide. */

#include "claims.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  WIDE = 100,
  LABEL = 41,
  MANY = 4
}; /* more settings of a study are counted, not listed */

void claims_wrap(FILE *say, int indent, const char *text)
{
  int column = fprintf(say, "%*s", indent, "");

  for (bool begins = true; *text; begins = false) {
    const int length = (int)strcspn(text, " ");

    if (!begins && column + 1 + length > WIDE)
      column = fprintf(say, "\n%*s", indent, "") - 1;
    else if (!begins)
      column += fprintf(say, " ");
    fprintf(say, "%.*s", length, text);
    column += length;
    text += length;
    text += strspn(text, " ");
  }
  fputc('\n', say);
}

/* Three digits of large numbers, three places of small ones: at most 6 characters below
   1000. */
static void format_number(double value, char text[16])
{
  if (fabs(value) < 0.0005) value = 0.0; /* no "-0.000" */
  snprintf(text, 16, fabs(value) < 1.0 ? "%.3f" : "%.3g", value);
}

/* "4.31 [3.9, 4.72]", or "-". */
static void format_interval(const interval *v, char text[64])
{
  char value[16], low[16], high[16];

  format_number(v->value, value);
  format_number(v->low, low);
  format_number(v->high, high);
  if (isnan(v->value))
    snprintf(text, 64, "-");
  else if (isnan(v->low))
    snprintf(text, 64, "%s", value);
  else
    snprintf(text, 64, "%s [%s, %s]", value, low, high);
}

static PetscErrorCode name_block(const finding *f, ip_text *label)
{
  PetscCall(ip_text_add(label, "%s", f->study->name));
  if (f->setting.length > 0) PetscCall(ip_text_add(label, ": %s", f->setting.text));
  if (f->compared.length > 0) PetscCall(ip_text_add(label, ": %s", f->compared.text));
  return PETSC_SUCCESS;
}

/* The finding of a block in the column that stands for all. */
static const finding *shown_of(const sweep *s, size_t n, const finding first[])
{
  for (size_t i = 0; i < n; i++)
    if (first[i].column == sweep_main_column(s) && first[i].verdict != NOT_TESTED)
      return &first[i];
  for (size_t i = 0; i < n; i++)
    if (first[i].verdict != NOT_TESTED) return &first[i];
  return first;
}

/* All columns that were tested say the same. */
static bool unanimous(size_t n, const finding first[])
{
  verdict said = NOT_TESTED;

  for (size_t i = 0; i < n; i++) {
    if (first[i].verdict == NOT_TESTED) continue;
    if (said != NOT_TESTED && first[i].verdict != said) return false;
    said = first[i].verdict;
  }
  return true;
}

/* What lies behind a verdict that is not plain: columns that differ, runs that do not count. */
static PetscErrorCode print_details(const sweep *s, size_t n, const finding first[], FILE *say)
{
  const finding *f = shown_of(s, n, first);
  const size_t lost = f->diverged + f->failed + f->pending;
  ip_text text = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  if (f->column != sweep_main_column(s) && f->column != SWEEP_NONE)
    code = ip_text_add(&text, "value of %s", s->column[f->column]);
  for (verdict v = AGREES; v < NOT_TESTED && !code && !unanimous(n, first); v++)
    code = claims_columns(s, n, first, v, &text);
  if (!code && f->left_out > 0)
    code =
        ip_text_add(&text, "%s%zu without a value", text.length > 0 ? "; " : "", f->left_out);
  if (!code && f->has_censored && f->censored > 0)
    code = ip_text_add(&text, "%s%zu runs censored", text.length > 0 ? "; " : "", f->censored);
  if (!code && lost > 0)
    code = ip_text_add(&text, "%s%zu diverged, %zu failed, %zu pending",
                       text.length > 0 ? "; " : "", f->diverged, f->failed, f->pending);
  if (!code && f->note.length > 0)
    code = ip_text_add(&text, "%s%s", text.length > 0 ? "; " : "", f->note.text);
  if (!code && text.length > 0) claims_wrap(say, 9, text.text);
  ip_text_clear(&text);
  return code;
}

static PetscErrorCode print_block(const sweep *s, size_t n, const finding first[], FILE *say)
{
  const finding *f = shown_of(s, n, first);
  bool depends;
  const verdict common = claims_common(n, first, &depends);
  char value[64];
  ip_text label = {0};
  const PetscErrorCode code = name_block(first, &label);

  if (!code) {
    if (label.length > LABEL) claims_wrap(say, 5, label.text); /* on lines of its own */
    format_interval(&f->effect, value);
    fprintf(say, "     %-*s %23s  n %-3zu %s\n", LABEL, label.length > LABEL ? "" : label.text,
            value, f->effect.n, depends ? "depends on estimator" : verdict_name(common));
  }
  ip_text_clear(&label);
  return code ? code : print_details(s, n, first, say);
}

/* A study with many settings: how many say what. */
static void print_counts(const finding *f, const size_t count[NOT_TESTED + 2], FILE *say)
{
  static const char *const word[] = {"agree", "disagree", "undecided", "not tested",
                                     "depend on the estimator"};
  const char *comma = "";

  fprintf(say, "     %s, ", f->study->name);
  for (int v = 0; v < NOT_TESTED + 2; v++) {
    if (count[v] == 0) continue;
    fprintf(say, "%s%zu %s", comma, count[v], word[v]);
    comma = ", ";
  }
  fputs(" (settings: claims.csv)\n", say);
}

/* The blocks of one claim in one study: first .. last - 1. */
static PetscErrorCode print_study(const sweep *s, const findings *all, size_t first,
                                  size_t last, FILE *say)
{
  size_t count[NOT_TESTED + 2] = {0}, blocks = 0, tested = 0;

  for (size_t i = first; i < last; i += claims_block(all, i), blocks++) {
    bool depends;
    const verdict common = claims_common(claims_block(all, i), &all->finding[i], &depends);

    count[depends ? NOT_TESTED + 1 : common]++;
    if (common != NOT_TESTED) tested++;
  }
  if (tested > MANY) {
    print_counts(&all->finding[first], count, say);
    return PETSC_SUCCESS;
  }
  for (size_t i = first; i < last; i += claims_block(all, i)) {
    const size_t n = claims_block(all, i);
    bool depends;

    if (claims_common(n, &all->finding[i], &depends) != NOT_TESTED)
      PetscCall(print_block(s, n, &all->finding[i], say));
  }
  return PETSC_SUCCESS;
}

/* Why what was not tested was not, each reason once with the studies it holds in. */
static PetscErrorCode print_untested(const findings *all, size_t first, size_t last, FILE *say)
{
  for (size_t i = first; i < last; i++) {
    const finding *f = &all->finding[i];
    ip_text text = {0};
    bool said = f->verdict != NOT_TESTED;

    for (size_t k = first; k < i && !said; k++)
      said = all->finding[k].verdict == NOT_TESTED &&
             strcmp(all->finding[k].note.text, f->note.text) == 0;
    if (said) continue;
    PetscErrorCode code = ip_text_add(&text, "not tested: %s", f->note.text);

    for (size_t k = i; k < last && !code; k++) {
      const finding *other = &all->finding[k];
      const bool here = other->verdict == NOT_TESTED && other->study &&
                        strcmp(other->note.text, f->note.text) == 0;

      if (here && (k == i || other[-1].study != other->study))
        code = ip_text_add(&text, "%s%s", k == i ? " (" : ", ", other->study->name);
    }
    if (!code && f->study) code = ip_text_add(&text, ")");
    if (!code) claims_wrap(say, 5, text.text);
    ip_text_clear(&text);
    if (code) return code;
  }
  return PETSC_SUCCESS;
}

static void print_head(const claim *c, FILE *say)
{
  fprintf(say, " %-3s %s\n", c->number, c->sentence);
  if (c->how != SHOWN)
    fprintf(say, "     claimed: %s %g%s%s; %s\n", c->side == AT_LEAST ? "at least" : "at most",
            c->margin, c->unit[0] == '1' ? "" : " ", c->unit[0] == '1' ? "" : c->unit, c->who);
}

PetscErrorCode claims_print(const sweep *s, const findings *all, FILE *say)
{
  const int main_column = sweep_main_column(s);

  fprintf(say, "claims: effect with its 95 %% interval over n replicates%s%s\n",
          main_column == SWEEP_NONE ? "" : ", in column ",
          main_column == SWEEP_NONE ? "" : s->column[main_column]);
  for (size_t i = 0; i < all->n;) {
    size_t end = i;

    while (end < all->n && all->finding[end].claim == all->finding[i].claim) end++;
    print_head(claim_row(all->finding[i].claim), say);
    for (size_t k = i, next; k < end; k = next) {
      next = k;
      while (next < end && all->finding[next].study == all->finding[k].study) next++;
      if (all->finding[k].study) PetscCall(print_study(s, all, k, next, say));
    }
    PetscCall(print_untested(all, i, end, say));
    i = end;
  }
  return PETSC_SUCCESS;
}

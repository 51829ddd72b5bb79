/* Which figures a file has the axes for: every kind, for every study, in every column that it
   measures. */

#include "figure.h"
#include <infoplane/view.h>
#include <locale.h>
#include <string.h>

static const figure_kind table[] = {
#define IP_FIGURE(kind, shows, by_column, most, across, lacks)                                 \
  {#kind, shows, by_column, most, across, lacks, figure_fill_##kind},
#include "figures.def"
#undef IP_FIGURE
};

const figure_kind *figure_row(size_t i)
{
  return i < sizeof table / sizeof table[0] ? &table[i] : NULL;
}

/* What one call draws. */
typedef struct {
  const sweep *s;
  plot_folder folder;
  bool *chosen; /* shape (n_columns) */
  const figure_kind *kind;
  size_t pictures;     /* of this kind so far                   */
  const char *missing; /* why the last candidate was not drawn  */
} drawing;

/* ---- one picture ------------------------------------------------------------------------------------ */

/* <study>_<kind>[_<column>][_<number>] */
static PetscErrorCode name_picture(const drawing *d, const figure *f, size_t number,
                                   ip_text *stem)
{
  PetscCall(ip_text_add(stem, "%s", f->study->slug));
  for (const sweep_study *other = d->s->study; other < f->study; other++)
    if (strcmp(other->slug, f->study->slug) == 0) { /* another name, the same letters */
      PetscCall(ip_text_add(stem, "-%zu", (size_t)(f->study - d->s->study) + 1));
      break;
    }
  PetscCall(ip_text_add(stem, "_%s", d->kind->name));
  if (d->kind->by_column) PetscCall(ip_text_add(stem, "_%s", d->s->column[f->column]));
  if (number > 0) PetscCall(ip_text_add(stem, "_%zu", number + 1));
  return PETSC_SUCCESS;
}

static PetscErrorCode draw_picture(drawing *d, const figure *f, size_t number)
{
  ip_text stem = {0};
  plot p = {0};
  PetscErrorCode code = name_picture(d, f, number, &stem);

  if (code == PETSC_SUCCESS) code = plot_begin(&p, stem.text, d->kind->shows, d->s->path);
  if (code == PETSC_SUCCESS) code = d->kind->fill(f, &p);
  if (code == PETSC_SUCCESS) code = plot_draw(&p, &d->folder);
  if (code == PETSC_SUCCESS) d->pictures++;
  plot_clear(&p);
  ip_text_clear(&stem);
  return code;
}

/* ---- groups that stand on one picture ----------------------------------------------------------------- */

static bool same(double a, double b)
{
  return a == b || (a != a && b != b);
}

static bool is_full(const sweep_group *g)
{
  return g->batch == g->train_size;
}

/* Trained with the leader's batch: the same one, or the whole training set where that is smaller. */
static bool same_batch(const sweep_group *leader, const sweep_group *g)
{
  if (is_full(leader)) return is_full(g);
  return g->batch == leader->batch || (is_full(g) && g->train_size <= leader->batch);
}

/* The group may stand on the leader's picture.  KDE with noise of variance s on a softmax of two units is
   KDE with s/2 on a sigmoid, so outputs of different kind are never shown as if they were the same. */
static bool may_join(const drawing *d, size_t column, const sweep_group *leader,
                     const sweep_group *g)
{
  const bool kde = d->kind->by_column && strcmp(d->s->column_kind[column], "kde") == 0;
  const char *across = d->kind->across;

  for (size_t k = 0; k < d->s->n_keys; k++) {
    const char *name = d->s->key[k].name;
    bool must = kde && strcmp(name, "output") == 0;

    if (across)
      must = strcmp(name, across) != 0 && strcmp(name, "epochs") != 0 &&
             strcmp(name, "batch_size") != 0;
    if (must && !same(leader->key[k], g->key[k])) return false;
  }
  return !across || same_batch(leader, g);
}

/* Pictures of one set of groups, at most `most` on each. */
static PetscErrorCode draw_set(drawing *d, figure *f, size_t *number)
{
  const sweep_group *const *group = f->group;
  const size_t n = f->n, most = d->kind->most > 0 && d->kind->most < n ? d->kind->most : n;

  for (size_t i = 0; i < n;) {
    const size_t left = n - i, pages = (left + most - 1) / most;

    f->group = group + i;
    f->n = (left + pages - 1) / pages;
    i += f->n;
    PetscCall(draw_picture(d, f, (*number)++));
  }
  return PETSC_SUCCESS;
}

/* The column is measured in this group. */
static PetscErrorCode is_measured(const drawing *d, const sweep_group *g, size_t column,
                                  bool *measured)
{
  double *value = NULL;

  *measured = true;
  if (!d->kind->by_column) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE(d->s->n_layers, &value));

  const PetscErrorCode code = sweep_at(d->s, "i_xt", g->run[0], column, g->look[0], value);

  *measured = value[0] == value[0];
  ip_release(&value);
  return code;
}

/* Groups of a study on their way to pictures. */
typedef struct {
  const sweep_study *study;
  size_t column, number;   /* number: of pictures so far */
  const sweep_group **set; /* shape (n): scratch         */
  bool *usable, *drawn;    /* shape (n)                  */
} sorting;

static figure set_of(const drawing *d, const sorting *q)
{
  return (figure){.s = d->s,
                  .study = q->study,
                  .group = q->set,
                  .has_column = d->kind->by_column,
                  .column = q->column};
}

/* *all: these groups have what the kind needs; else the reason is kept. */
static PetscErrorCode has_all(drawing *d, const figure *f, bool *all)
{
  const char *lacks = NULL;

  PetscCall(d->kind->lacks(f, &lacks));
  if (lacks) d->missing = lacks;
  *all = !lacks;
  return PETSC_SUCCESS;
}

static PetscErrorCode sort_out(drawing *d, sorting *q)
{
  for (size_t i = 0; i < q->study->n; i++) {
    const sweep_group *g = &q->study->group[i];
    figure alone = set_of(d, q);

    q->drawn[i] = false;
    q->usable[i] = g->n > 0 && g->n_looks > 0;
    if (q->usable[i]) PetscCall(is_measured(d, g, q->column, &q->usable[i]));
    q->set[0] = g;
    alone.n = 1;
    if (q->usable[i] && !d->kind->across) PetscCall(has_all(d, &alone, &q->usable[i]));
  }
  return PETSC_SUCCESS;
}

/* The set of a leader: of all that may join it, those drawn with another leader too. */
static PetscErrorCode draw_leader(drawing *d, sorting *q, const sweep_group *leader)
{
  const sweep_study *study = q->study;
  figure f = set_of(d, q);
  bool all = true;

  for (size_t j = 0; j < study->n; j++)
    if (q->usable[j] && may_join(d, q->column, leader, &study->group[j])) {
      q->set[f.n++] = &study->group[j];
      q->drawn[j] = true;
    }
  if (f.n > 0 && d->kind->across) PetscCall(has_all(d, &f, &all));
  return f.n > 0 && all ? draw_set(d, &f, &q->number) : PETSC_SUCCESS;
}

/* Groups with mini-batches lead first, so that a small training set, which is a batch of its own, stands
   with the larger ones. */
static PetscErrorCode draw_sets(drawing *d, sorting *q)
{
  q->number = 0;
  PetscCall(sort_out(d, q));
  for (int full = 0; full < 2; full++)
    for (size_t i = 0; i < q->study->n; i++) {
      const sweep_group *g = &q->study->group[i];

      if (q->usable[i] && !q->drawn[i] && (int)is_full(g) <= full)
        PetscCall(draw_leader(d, q, g));
    }
  return PETSC_SUCCESS;
}

static PetscErrorCode draw_study(drawing *d, const sweep_study *study)
{
  const size_t columns = d->kind->by_column ? d->s->n_columns : 1;
  sorting q = {.study = study};
  PetscErrorCode code = IP_ALLOCATE(study->n, &q.set);

  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(study->n, &q.usable);
  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(study->n, &q.drawn);
  for (q.column = 0; q.column < columns && code == PETSC_SUCCESS; q.column++)
    if (!d->kind->by_column || d->chosen[q.column]) code = draw_sets(d, &q);
  ip_release(&q.set);
  ip_release(&q.usable);
  ip_release(&q.drawn);
  return code;
}

/* ---- columns ------------------------------------------------------------------------------------------ */

/* One of binning and one of KDE, of those that measure on all patterns. */
static void choose_usual(const sweep *s, bool chosen[])
{
  const int usual = sweep_main_column(s);

  if (usual >= 0) chosen[usual] = true;
  for (size_t c = 0; c < s->n_columns; c++) {
    if (strcmp(s->column_kind[c], "kde") != 0 || strcmp(s->column_on[c], "full") != 0) continue;
    chosen[c] = true;
    return;
  }
}

static PetscErrorCode refuse_column(const sweep *s, const char *name, size_t length)
{
  ip_text names = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t c = 0; c < s->n_columns && !code; c++)
    code = ip_text_add(&names, " %s", s->column[c]);
  if (!code)
    code = ip_error_raise(IP_ERR_USAGE, __func__,
                          "columns: %s has no column \"%.*s\"; it has%s, or all", s->path,
                          (int)length, name, names.text ? names.text : " none");

  ip_text_clear(&names);
  return code;
}

/* "all", or names with commas between. */
static PetscErrorCode choose_columns(const sweep *s, const char *columns, bool chosen[])
{
  const bool all = columns && strcmp(columns, "all") == 0;

  if (!columns) choose_usual(s, chosen);
  for (size_t c = 0; all && c < s->n_columns; c++) chosen[c] = true;
  for (const char *name = all ? NULL : columns; name && *name;) {
    const size_t length = strcspn(name, ",");
    bool found = false;

    for (size_t c = 0; c < s->n_columns; c++)
      if (strlen(s->column[c]) == length && strncmp(s->column[c], name, length) == 0)
        chosen[c] = found = true;
    if (!found) return refuse_column(s, name, length);
    name += length + (name[length] == ',');
  }
  return PETSC_SUCCESS;
}

static void say_columns(const drawing *d, FILE *say)
{
  size_t n = 0;

  for (size_t c = 0; c < d->s->n_columns; c++) n += d->chosen[c];
  if (n == d->s->n_columns) return;
  fputs(" columns", say);
  for (size_t c = 0; c < d->s->n_columns; c++)
    if (d->chosen[c]) fprintf(say, " %s", d->s->column[c]);
  fprintf(say, "; columns=all draws all %zu\n", d->s->n_columns);
}

/* ---- all kinds ---------------------------------------------------------------------------------------- */

static PetscErrorCode draw_all(drawing *d, FILE *say)
{
  size_t pictures = 0;

  for (size_t i = 0; (d->kind = figure_row(i)) != NULL; i++) {
    d->pictures = 0;
    d->missing = "a finished run";
    for (size_t j = 0; j < d->s->n_studies; j++) PetscCall(draw_study(d, &d->s->study[j]));
    pictures += d->pictures;
    if (d->pictures > 0)
      fprintf(say, " %-10s %3zu  %s\n", d->kind->name, d->pictures, d->kind->shows);
    else
      fprintf(say, " %-10s   -  needs %s\n", d->kind->name, d->missing);
    fflush(say);
  }
  fprintf(say, " %zu pictures in %s, each with its gnuplot script and data\n", pictures,
          d->folder.path);
  say_columns(d, say);
  return PETSC_SUCCESS;
}

/* Runs that are left out. */
static void say_unfinished(const sweep *s, FILE *say)
{
  for (size_t i = 0; i < s->n_studies; i++) {
    size_t diverged = 0, failed = 0, pending = 0;

    for (size_t j = 0; j < s->study[i].n; j++) {
      diverged += s->study[i].group[j].diverged;
      failed += s->study[i].group[j].failed;
      pending += s->study[i].group[j].pending;
    }
    if (diverged + failed + pending > 0)
      fprintf(say, " %s: left out %zu diverged, %zu failed, %zu unfinished runs\n",
              s->study[i].name, diverged, failed, pending);
  }
}

static PetscErrorCode draw_file(const char *path, const char *folder, const char *columns,
                                FILE *say)
{
  sweep *s = NULL;
  drawing d = {.folder.fd = -1};

  PetscCall(plot_check_gnuplot());
  PetscCall(sweep_open(path, &s));
  d.s = s;

  PetscErrorCode code = IP_ALLOCATE(s->n_columns, &d.chosen);

  if (code == PETSC_SUCCESS) code = choose_columns(s, columns, d.chosen);
  if (code == PETSC_SUCCESS) code = plot_folder_open(folder, &d.folder);

  if (code == PETSC_SUCCESS) say_unfinished(s, say);
  if (code == PETSC_SUCCESS) code = draw_all(&d, say);
  plot_folder_close(&d.folder);
  ip_release(&d.chosen);
  sweep_close(&s);
  return code;
}

PetscErrorCode ip_view_figures(const char *path, const char *folder, const char *columns,
                               FILE *say)
{
  /* gnuplot reads numbers with points, whatever the user's locale writes */
  const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);

  IP_CHECK(c != (locale_t)0, IP_ERR_INTERNAL, "no memory left for the C locale");
  const locale_t before = uselocale(c);
  const PetscErrorCode code = draw_file(path, folder, columns, say);

  uselocale(before);
  freelocale(c);
  return code;
}

/* A results file as groups of replicates. */

#include "sweep.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- reading whole variables of one axis ------------------------------------------------------ */

/* All numbers of a variable along `run`; NaN where the file does not have it. */
static PetscErrorCode read_runs(const sweep *s, const char *name, double **value)
{
  const size_t start[1] = {0}, count[1] = {s->n_runs};

  PetscCall(IP_ALLOCATE(s->n_runs, value));
  if (sweep_has(s, name)) return ip_results_block(s->file, name, 1, start, count, *value);
  for (size_t r = 0; r < s->n_runs; r++) (*value)[r] = (double)NAN;
  return PETSC_SUCCESS;
}

/* Texts of a variable of one axis. */
static PetscErrorCode read_texts(const sweep *s, const char *name, size_t n, char ***text)
{
  PetscCall(IP_ALLOCATE(n, text));
  for (size_t i = 0; i < n; i++) PetscCall(ip_results_text(s->file, name, i, &(*text)[i]));
  return PETSC_SUCCESS;
}

static void release_texts(size_t n, char ***text)
{
  for (size_t i = 0; *text && i < n; i++) ip_release(&(*text)[i]);
  ip_release(text);
}

/* ---- axes ---------------------------------------------------------------------------------------- */

static PetscErrorCode read_epochs(sweep *s)
{
  const size_t start[1] = {0}, count[1] = {s->n_epochs};
  double *epoch = NULL;

  PetscCall(IP_ALLOCATE(s->n_epochs, &s->epoch));
  PetscCall(IP_ALLOCATE(s->n_epochs, &epoch));

  const PetscErrorCode code = ip_results_block(s->file, "epoch", 1, start, count, epoch);

  for (size_t e = 0; e < s->n_epochs; e++) s->epoch[e] = (int32_t)epoch[e];
  ip_release(&epoch);
  return code;
}

static PetscErrorCode read_noise(sweep *s)
{
  const size_t start[1] = {0}, count[1] = {s->n_columns};

  PetscCall(IP_ALLOCATE(s->n_columns, &s->noise_variance));
  for (size_t c = 0; c < s->n_columns; c++) s->noise_variance[c] = (double)NAN;
  if (s->n_columns == 0 || !sweep_has(s, "column_noise_variance")) return PETSC_SUCCESS;
  return ip_results_block(s->file, "column_noise_variance", 1, start, count, s->noise_variance);
}

static PetscErrorCode read_axes(sweep *s)
{
  s->n_runs = ip_results_axis(s->file, "run");
  s->given = ip_results_axis(s->file, "part") > 1;
  s->n_columns = ip_results_axis(s->file, "column");
  s->n_epochs = ip_results_axis(s->file, "epoch");
  s->n_layers = ip_results_axis(s->file, "layer");
  s->n_studies = ip_results_axis(s->file, "study");
  IP_CHECK(s->n_runs && s->n_epochs && s->n_layers && s->n_studies, IP_ERR_DATA,
           "%s is damaged: it lacks an axis; infoplane check %s says more", s->path, s->path);
  PetscCall(read_epochs(s));
  PetscCall(read_texts(s, "column", s->n_columns, &s->column));
  PetscCall(read_texts(s, "column_kind", s->n_columns, &s->column_kind));
  PetscCall(read_texts(s, "column_on", s->n_columns, &s->column_on));
  PetscCall(read_texts(s, "architecture", ip_results_axis(s->file, "architecture"),
                       &s->architecture));
  PetscCall(read_texts(s, "data", ip_results_axis(s->file, "data"), &s->data));
  return read_noise(s);
}

/* ---- keys: coordinates that name groups ------------------------------------------------------------ */

/* "tanh relu ..." -> words */
static PetscErrorCode split_words(const char *text, sweep_key *key)
{
  size_t room = 1;

  for (const char *c = text; *c; c++) room += *c == ' ';
  PetscCall(IP_ALLOCATE(room, &key->word));
  while (*text) {
    const size_t length = strcspn(text, " ");
    ip_text word = {0};

    PetscCall(ip_text_add(&word, "%.*s", (int)length, text));
    key->word[key->n_words++] = word.text;
    text += length + (text[length] == ' ');
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode add_key(sweep *s, const char *name, const char *unit)
{
  sweep_key *key = &s->key[s->n_keys];
  char *words = NULL;

  if (!sweep_has(s, name)) return PETSC_SUCCESS;
  s->n_keys++;
  PetscCall(ip_text_copy(name, &key->name));
  PetscCall(ip_text_copy(unit, &key->unit));

  PetscErrorCode code = ip_results_attribute(s->file, name, "flag_meanings", &words);

  if (code == IP_ERR_DATA) { /* a plain number */
    ip_error_clear();
    return PETSC_SUCCESS;
  }
  if (code == PETSC_SUCCESS) code = split_words(words, key);
  ip_release(&words);
  return code;
}

/* An index whose words stand on its axis. */
static PetscErrorCode add_index(sweep *s, const char *name, const char *axis,
                                char *const text[])
{
  const size_t n = ip_results_axis(s->file, axis);
  sweep_key *key = &s->key[s->n_keys];

  IP_CHECK(sweep_has(s, name), IP_ERR_DATA, "%s has no variable %s", s->path, name);
  PetscCall(add_key(s, name, "1"));
  PetscCall(IP_ALLOCATE(n, &key->word));
  key->n_words = n;
  for (size_t i = 0; i < n; i++) PetscCall(ip_text_copy(text[i], &key->word[i]));
  return PETSC_SUCCESS;
}

/* All options that have a coordinate, but for the seed, which tells replicates apart. */
static PetscErrorCode list_keys(sweep *s)
{
  const ip_parameter *row;

  PetscCall(IP_ALLOCATE(IP_KEYS + 2, &s->key));
  PetscCall(add_index(s, "data_index", "data", s->data));
  PetscCall(add_index(s, "architecture_index", "architecture", s->architecture));
  for (size_t i = 0; (row = ip_option_row(i)) != NULL; i++) {
    size_t n_axes, length[IP_RESULTS_RANK];

    if (!row->coordinate || row->scope != IP_SCOPE_RUN || i == IP_KEY_SEED) continue;
    if (row->type == IP_STRING || row->type == IP_INTEGERS || row->type == IP_INTERVAL)
      continue; /* texts: data and architecture stand for them */
    if (ip_results_shape(s->file, row->coordinate, &n_axes, length) && n_axes == 1)
      PetscCall(add_key(s, row->coordinate, row->unit));
  }
  return PETSC_SUCCESS;
}

/* ---- groups ---------------------------------------------------------------------------------------- */

/* Everything of the runs that groups are made from. */
typedef struct {
  double **key; /* shape (n_keys, n_runs) */
  double *seed, *replicate, *status, *train_size;
  double *member; /* shape (n_runs, n_studies) */
} coordinates;

static PetscErrorCode read_members(const sweep *s, coordinates *c)
{
  const size_t start[2] = {0, 0}, count[2] = {s->n_runs, s->n_studies};

  PetscCall(IP_ALLOCATE(s->n_runs * s->n_studies, &c->member));
  return ip_results_block(s->file, "in_study", 2, start, count, c->member);
}

static PetscErrorCode read_status(const sweep *s, coordinates *c)
{
  /* of several parts the last follows from all others */
  const size_t parts = ip_results_axis(s->file, "part"),
               start[2] = {0, parts > 0 ? parts - 1 : 0}, count[2] = {s->n_runs, 1};

  PetscCall(IP_ALLOCATE(s->n_runs, &c->status));
  return ip_results_block(s->file, "status", 2, start, count, c->status);
}

/* The first two keys are places on axes of the file. */
static PetscErrorCode check_places(const sweep *s, const coordinates *c)
{
  for (size_t k = 0; k < 2; k++)
    for (size_t r = 0; r < s->n_runs; r++)
      IP_CHECK(c->key[k][r] >= 0.0 && c->key[k][r] < (double)s->key[k].n_words, IP_ERR_DATA,
               "%s is damaged: %s of run %zu is %g, of %zu", s->path, s->key[k].name, r,
               c->key[k][r], s->key[k].n_words);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_coordinates(const sweep *s, coordinates *c)
{
  PetscCall(IP_ALLOCATE(s->n_keys, &c->key));
  for (size_t k = 0; k < s->n_keys; k++) PetscCall(read_runs(s, s->key[k].name, &c->key[k]));
  PetscCall(check_places(s, c));
  PetscCall(read_runs(s, "seed", &c->seed));
  PetscCall(read_runs(s, "replicate", &c->replicate));
  PetscCall(read_runs(s, "train_size", &c->train_size));
  PetscCall(read_status(s, c));
  return read_members(s, c);
}

static void coordinates_clear(const sweep *s, coordinates *c)
{
  for (size_t k = 0; c->key && k < s->n_keys; k++) ip_release(&c->key[k]);
  ip_release(&c->key);
  ip_release(&c->seed);
  ip_release(&c->replicate);
  ip_release(&c->status);
  ip_release(&c->train_size);
  ip_release(&c->member);
}

static bool same(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

static bool belongs(const sweep *s, const coordinates *c, const sweep_group *g, size_t run)
{
  for (size_t k = 0; k < s->n_keys; k++)
    if (!same(g->key[k], c->key[k][run])) return false;
  return true;
}

static PetscErrorCode begin_group(const sweep *s, const coordinates *c, size_t run,
                                  sweep_group *g)
{
  const int data = sweep_key_find(s, "data_index"),
            architecture = sweep_key_find(s, "architecture_index"),
            batch = sweep_key_find(s, "batch_size");

  PetscCall(IP_ALLOCATE(s->n_keys, &g->key));
  for (size_t k = 0; k < s->n_keys; k++) g->key[k] = c->key[k][run];
  g->data = (size_t)g->key[data];
  g->architecture = (size_t)g->key[architecture];
  g->train_size = (size_t)fmax(0.0, c->train_size[run]); /* -1: not known */
  g->batch = s->given    ? 1                             /* not known, and not the whole set */
             : batch < 0 ? g->train_size
                         : (size_t)g->key[batch];
  return PETSC_SUCCESS;
}

/* The group of a run in the study; a new one if there is none.  *found: where the search found
   the run before; the groups of a replicate follow each other, so the next one is likely. */
static PetscErrorCode find_group(const sweep *s, const coordinates *c, size_t run,
                                 sweep_study *study, sweep_group **found)
{
  const size_t first = *found ? (size_t)(*found - study->group) + 1 : 0;

  for (size_t i = 0; i < study->n; i++) {
    sweep_group *g = &study->group[(first + i) % study->n];

    if (!belongs(s, c, g, run)) continue;
    *found = g;
    return PETSC_SUCCESS;
  }
  *found = &study->group[study->n++];
  return begin_group(s, c, run, *found);
}

static PetscErrorCode collect_groups(const sweep *s, const coordinates *c, size_t i)
{
  sweep_study *study = &s->study[i];

  sweep_group *g = NULL;

  PetscCall(IP_ALLOCATE(s->n_runs, &study->group));
  for (size_t r = 0; r < s->n_runs; r++) {
    const int status = (int)c->status[r];

    if (c->member[r * s->n_studies + i] != 1.0) continue;
    PetscCall(find_group(s, c, r, study, &g));
    g->n += status == IP_STATUS_DONE;
    g->diverged += status == IP_STATUS_DIVERGED;
    g->failed += status == IP_STATUS_FAILED;
    g->pending += status == IP_STATUS_PENDING;
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode list_runs(const sweep *s, const coordinates *c, size_t i)
{
  sweep_study *study = &s->study[i];

  for (size_t j = 0; j < study->n; j++) {
    sweep_group *g = &study->group[j];

    PetscCall(IP_ALLOCATE(g->n, &g->run));
    PetscCall(IP_ALLOCATE(g->n, &g->seed));
    PetscCall(IP_ALLOCATE(g->n, &g->replicate));
    g->n = 0;
  }

  sweep_group *g = NULL;

  for (size_t r = 0; r < s->n_runs; r++) {
    if (c->member[r * s->n_studies + i] != 1.0 || (int)c->status[r] != IP_STATUS_DONE) continue;
    PetscCall(find_group(s, c, r, study, &g));
    g->run[g->n] = r;
    g->seed[g->n] = c->seed[r];
    g->replicate[g->n++] = c->replicate[r];
  }
  return PETSC_SUCCESS;
}

/* By seed and replicate; runs of a file are nearly in that order. */
static void sort_runs(sweep_group *g)
{
  for (size_t i = 1; i < g->n; i++)
    for (size_t j = i; j > 0; j--) {
      const bool ordered =
          g->seed[j - 1] < g->seed[j] ||
          (g->seed[j - 1] == g->seed[j] && g->replicate[j - 1] <= g->replicate[j]);
      const double seed = g->seed[j], replicate = g->replicate[j];
      const size_t run = g->run[j];

      if (ordered) break;
      g->seed[j] = g->seed[j - 1], g->seed[j - 1] = seed;
      g->replicate[j] = g->replicate[j - 1], g->replicate[j - 1] = replicate;
      g->run[j] = g->run[j - 1], g->run[j - 1] = run;
    }
}

/* ---- what a group looks like ------------------------------------------------------------------------ */

static PetscErrorCode find_widths(const sweep *s, sweep_group *g)
{
  const size_t start[2] = {g->architecture, 0}, count[2] = {1, s->n_layers};
  double *width = NULL, features = 0.0;

  PetscCall(IP_ALLOCATE(s->n_layers, &g->width));
  PetscCall(ip_results_block(s->file, "data_features", 1, &g->data, count, &features));
  g->features = (size_t)fmax(0.0, features);
  PetscCall(IP_ALLOCATE(s->n_layers, &width));

  const PetscErrorCode code = ip_results_block(s->file, "width", 2, start, count, width);

  for (size_t l = 0; l < s->n_layers; l++) {
    g->width[l] = (int32_t)width[l];
    g->layers += width[l] > 0.0;
  }
  ip_release(&width);
  return code;
}

/* All runs of a group are looked at in the same epochs.  Of a network that was trained elsewhere nobody
   knows the optimizer steps: its epochs stand for them. */
static PetscErrorCode find_looks(const sweep *s, sweep_group *g)
{
  double *updates = NULL;

  PetscCall(IP_ALLOCATE(s->n_epochs, &g->look));
  PetscCall(IP_ALLOCATE(s->n_epochs, &g->updates));
  if (g->n == 0) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE(s->n_epochs, &updates));

  const PetscErrorCode code = sweep_curve(s, "updates", g->run[0], 0, updates);

  for (size_t e = 0; e < s->n_epochs && code == PETSC_SUCCESS; e++) {
    if (s->given) updates[e] = s->epoch[e];
    if (!(updates[e] >= 0.0)) continue;
    g->look[g->n_looks] = (int32_t)e;
    g->updates[g->n_looks++] = updates[e];
  }
  ip_release(&updates);
  return code;
}

/* ---- names ------------------------------------------------------------------------------------------ */

void sweep_key_format(const sweep *s, const sweep_group *g, size_t key, char text[64])
{
  const sweep_key *k = &s->key[key];
  const double value = g->key[key];
  char number[32];

  ip_real_format(value, number);
  if (k->n_words > 0 && value >= 0.0 && value < (double)k->n_words)
    snprintf(text, 64, "%s", k->word[(size_t)value]);
  else if (strcmp(k->name, "train_fraction") == 0)
    snprintf(text, 64, "%.4g %%", 100.0 * value);
  else if (strcmp(k->name, "batch_size") == 0 && g->batch == g->train_size)
    snprintf(text, 64, "full batch");
  else if (strcmp(k->name, "batch_size") == 0)
    snprintf(text, 64, "batch %s", number);
  else if (strcmp(k->name, "learning_rate") == 0)
    snprintf(text, 64, "lr %s", number);
  else if (strcmp(k->name, "weight_decay") == 0)
    snprintf(text, 64, "decay %s", number);
  else if (isnan(value) || k->n_words > 0)
    snprintf(text, 64, "no %s", k->name);
  else
    snprintf(text, 64, "%s %s", k->name, number);
}

/* Lower case letters, digits, dot and minus; all else is one "_". */
static PetscErrorCode make_slug(const char *text, char **slug)
{
  enum { LONGEST = 80 };
  char name[LONGEST + 1] = "study";
  size_t n = 0;

  for (const char *c = text; *c && n < LONGEST; c++) {
    const char low = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    const bool plain = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '-' ||
                       (low == '.' && n > 0);

    if (plain)
      name[n++] = low;
    else if (n > 0 && name[n - 1] != '_')
      name[n++] = '_';
  }
  while (n > 0 && name[n - 1] == '_') n--;
  if (n > 0) name[n] = '\0';
  return ip_text_copy(name, slug);
}

/* Epochs that follow from updates and batch, and what the architecture says, need no words. */
static PetscErrorCode name_group(const sweep *s, const sweep_study *study, sweep_group *g)
{
  const int batch = sweep_key_find(s, "batch_size"), epochs = sweep_key_find(s, "epochs"),
            fraction = sweep_key_find(s, "train_fraction");
  ip_text label = {0};
  char text[64];
  PetscErrorCode code = ip_text_add(&label, "%s", "");

  for (size_t k = 0; k < s->n_keys && !code; k++) {
    if (!study->varies[k]) continue;
    if ((int)k == epochs && batch >= 0 && study->varies[batch]) continue;
    if ((int)k == batch && g->batch == g->train_size && fraction >= 0 &&
        study->varies[fraction]) {
      bool mixed = false; /* "full batch" tells nothing where all are */

      for (size_t i = 0; i < study->n; i++)
        mixed = mixed || study->group[i].batch != study->group[i].train_size;
      if (!mixed) continue;
    }
    sweep_key_format(s, g, k, text);
    code = ip_text_add(&label, label.length ? ", %s" : "%s", text);
  }
  g->label = label.text;
  PetscCall(code);
  return make_slug(g->label, &g->slug);
}

static PetscErrorCode describe_study(const sweep *s, sweep_study *study)
{
  PetscCall(IP_ALLOCATE(s->n_keys, &study->varies));
  for (size_t k = 0; k < s->n_keys; k++)
    for (size_t i = 1; i < study->n; i++)
      study->varies[k] =
          study->varies[k] || !same(study->group[i].key[k], study->group[0].key[k]);
  for (size_t i = 0; i < study->n; i++) {
    sweep_group *g = &study->group[i];

    sort_runs(g);
    PetscCall(find_widths(s, g));
    PetscCall(find_looks(s, g));
    PetscCall(sweep_check_group(s, g));
    PetscCall(name_group(s, study, g));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode make_studies(sweep *s, const coordinates *c)
{
  for (size_t i = 0; i < s->n_studies; i++) {
    sweep_study *study = &s->study[i];

    PetscCall(ip_results_text(s->file, "study", i, &study->name));
    PetscCall(make_slug(study->name, &study->slug));
    PetscCall(collect_groups(s, c, i));
    PetscCall(list_runs(s, c, i));
    PetscCall(describe_study(s, study));
  }
  return PETSC_SUCCESS;
}

/* ---- open and close ---------------------------------------------------------------------------------- */

static PetscErrorCode fill(sweep *s)
{
  coordinates c = {0};
  const char *unfit = ip_results_unfit(s->file);

  IP_CHECK(!unfit, IP_ERR_DATA,
           "%s is damaged: %s does not lie along its axes; infoplane check %s says more",
           s->path, unfit, s->path);
  PetscCall(read_axes(s));
  PetscCall(list_keys(s));
  PetscCall(IP_ALLOCATE(s->n_studies, &s->study));

  PetscErrorCode code = read_coordinates(s, &c);

  if (code == PETSC_SUCCESS) code = make_studies(s, &c);
  coordinates_clear(s, &c);
  return code;
}

PetscErrorCode sweep_open(const char *path, sweep **result)
{
  sweep *s = NULL;

  PetscCall(IP_ALLOCATE(1, &s));

  PetscErrorCode code = ip_text_copy(path, &s->path);

  if (code == PETSC_SUCCESS) code = ip_results_open(path, &s->file);
  if (code == PETSC_SUCCESS) code = fill(s);
  if (code == PETSC_SUCCESS)
    *result = s;
  else
    sweep_close(&s);
  return code;
}

static void clear_study(sweep_study *study)
{
  for (size_t i = 0; study->group && i < study->n; i++) {
    sweep_group *g = &study->group[i];

    ip_release(&g->key);
    ip_release(&g->run);
    ip_release(&g->seed);
    ip_release(&g->replicate);
    ip_release(&g->width);
    ip_release(&g->look);
    ip_release(&g->updates);
    ip_release(&g->label);
    ip_release(&g->slug);
  }
  ip_release(&study->group);
  ip_release(&study->varies);
  ip_release(&study->name);
  ip_release(&study->slug);
}

void sweep_close(sweep **result)
{
  sweep *s = *result;

  if (!s) return;
  for (size_t i = 0; s->study && i < s->n_studies; i++) clear_study(&s->study[i]);
  for (size_t k = 0; s->key && k < s->n_keys; k++) {
    release_texts(s->key[k].n_words, &s->key[k].word);
    ip_release(&s->key[k].name);
    ip_release(&s->key[k].unit);
  }
  release_texts(s->n_columns, &s->column);
  release_texts(s->n_columns, &s->column_kind);
  release_texts(s->n_columns, &s->column_on);
  if (s->file) {
    release_texts(ip_results_axis(s->file, "architecture"), &s->architecture);
    release_texts(ip_results_axis(s->file, "data"), &s->data);
  }
  ip_release(&s->study);
  ip_release(&s->key);
  ip_release(&s->epoch);
  ip_release(&s->noise_variance);
  ip_results_close(&s->file);
  ip_release(&s->path);
  ip_release(result);
}

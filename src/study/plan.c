/* The plan: points of all grids, each once; times replicates; and what is measured of each run.

   A point is a combination of the values that name a run.  Points keep the order in which the
   blocks first name them; runs are ordered by replicate, then point, so that more replicates
   append rows.  Everything here is a function of the options and the shapes of the data: every
   rank makes the same plan. */

#include "assist.h"
#include "grid.h"
#include "share.h"
#include <math.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* One combination of values, and which blocks hold it. */
typedef struct {
  ip_run run;      /* replicate and measure are still open */
  char *identity;  /* text of the values                   */
  int8_t *member;  /* shape (blocks)                       */
  uint32_t repeat; /* most replicates that a block wants   */
} point;

/* What is built up while the plan is made. */
typedef struct {
  ip_plan *plan;
  size_t n, room;
  point *point;
  size_t slots;     /* open addressing by identity: index + 1, 0 = empty */
  uint32_t *slot;   /* shape (slots)                                     */
  int8_t **members; /* shape (room of measures): blocks of each measure  */
  int32_t *last;    /* last epoch of each measure                        */
} builder;

/* ---- one point ---------------------------------------------------------------------------------- */

static PetscErrorCode write_identity(const ip_value *const value[], ip_text *text)
{
  for (size_t key = 0; key < IP_KEYS; key++) {
    if (!value[key]) continue;
    PetscCall(ip_text_add(text, "%s: ", ip_option_row(key)->key));
    PetscCall(ip_value_format(ip_option_row(key), value[key], text));
    PetscCall(ip_text_add(text, "\n"));
  }
  return PETSC_SUCCESS;
}

/* Passes for this many optimizer steps; steps: NULL where epochs are given. */
static PetscErrorCode count_epochs(const char *block, ip_run *run)
{
  const ip_value *epochs = run->value[IP_KEY_TRAIN_EPOCHS],
                 *updates = run->value[IP_KEY_TRAIN_UPDATES];
  const int64_t per_epoch = (run->train_size + run->batch - 1) / run->batch;
  const int64_t passes =
      updates ? updates->integer / per_epoch + (updates->integer % per_epoch != 0)
              : epochs->integer;

  IP_CHECK(passes < INT32_MAX, IP_ERR_CONFIG,
           "study %s: %lld optimizer steps are %lld epochs, more than can be counted", block,
           (long long)(updates ? updates->integer : 0), (long long)passes);
  run->epochs = (int32_t)passes;
  return PETSC_SUCCESS;
}

/* Of the training of a given network nothing is known but how far it went. */
static PetscErrorCode fill_given(const char *block, const ip_value *look, ip_run *run)
{
  IP_CHECK(look->word < 0 && look->n > 0, IP_ERR_CONFIG,
           "study %s: look is the list of epochs of the activations", block);
  run->train_size = -1;
  run->batch = -1;
  run->epochs = (int32_t)look->list[look->n - 1];
  return PETSC_SUCCESS;
}

static PetscErrorCode fill_run(const ip_plan *plan, size_t b, const ip_value *const value[],
                               ip_run *run)
{
  const char *block = plan->options->block[b].name;

  memcpy(run->value, value, sizeof run->value);
  run->data = data_find(plan->data, value);
  IP_CHECK(run->data >= 0, IP_ERR_INTERNAL, "study %s: a data set of the grid is not listed",
           block);
  if (ip_block_is_given(&plan->options->block[b]))
    return fill_given(block, ip_options_value(plan->options, b, IP_KEY_LOOK), run);
  run->seed = (uint64_t)value[IP_KEY_SEED]->integer;

  const ip_dataset *set = plan->data->set[run->data];
  const double fraction = value[IP_KEY_TRAIN_FRACTION]->real;
  const size_t train = ip_split_train_size(fraction, set->n);

  IP_CHECK(train >= 1, IP_ERR_CONFIG,
           "study %s: train.fraction %g of %zu patterns leaves none to train; raise it", block,
           fraction, set->n);
  IP_CHECK(set->n <= INT32_MAX, IP_ERR_CONFIG, "study %s: %zu patterns are more than 2^31",
           block, set->n);
  run->train_size = (int32_t)train;
  run->batch = value[IP_KEY_TRAIN_BATCH]->word == IP_BATCH_FULL
                   ? run->train_size
                   : value[IP_KEY_TRAIN_BATCH]->integer;
  if (run->batch > run->train_size) run->batch = run->train_size;
  return count_epochs(block, run);
}

/* ---- architectures ------------------------------------------------------------------------------ */

static PetscErrorCode describe_architecture(const ip_dataset *set, const ip_run *run,
                                            ip_architecture *a)
{
  const ip_value *hidden = run->value[IP_KEY_NETWORK_HIDDEN],
                 *output = run->value[IP_KEY_NETWORK_OUTPUT]; /* NULL: all layers are listed */
  ip_text label = {0};

  a->layers = hidden->n + (output != NULL);
  PetscCall(IP_ALLOCATE(a->layers + 1, &a->width));
  a->width[0] = (int32_t)set->d;
  for (size_t l = 0; l < hidden->n; l++) a->width[l + 1] = (int32_t)hidden->list[l];
  if (output) a->width[a->layers] = ip_output_units((ip_output)output->word, set->k);

  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t l = 0; l <= a->layers && !code; l++)
    code = ip_text_add(&label, l == 0 ? "%d" : "-%d", (int)a->width[l]);
  a->label = label.text;
  return code;
}

/* Find or add the architecture of a run.  It is counted at once, and so released with the plan. */
static PetscErrorCode place_architecture(ip_plan *plan, ip_run *run)
{
  const size_t last = plan->n_architectures++;
  ip_architecture *a = &plan->architecture[last];

  PetscCall(describe_architecture(plan->data->set[run->data], run, a));
  for (size_t i = 0; i < last; i++)
    if (strcmp(plan->architecture[i].label, a->label) == 0) {
      ip_release(&a->width);
      ip_release(&a->label);
      plan->n_architectures = last;
      run->architecture = (int32_t)i;
      return PETSC_SUCCESS;
    }
  run->architecture = (int32_t)last;
  if (a->layers > plan->n_layers) plan->n_layers = a->layers;
  return PETSC_SUCCESS;
}

/* ---- points ------------------------------------------------------------------------------------- */

static uint32_t *find_slot(builder *b, const char *identity)
{
  size_t i = XXH3_64bits(identity, strlen(identity)) % b->slots;

  while (b->slot[i] && strcmp(b->point[b->slot[i] - 1].identity, identity) != 0)
    i = (i + 1) % b->slots;
  return &b->slot[i];
}

/* A batch that holds the whole training set is full: the same run, planned once. */
static PetscErrorCode name_full_batch(const ip_plan *plan, size_t block,
                                      const ip_value *value[])
{
  static const ip_value full = {.word = IP_BATCH_FULL};
  ip_run run = {0};

  PetscCall(fill_run(plan, block, value, &run));
  if (value[IP_KEY_TRAIN_BATCH] && run.batch == run.train_size)
    value[IP_KEY_TRAIN_BATCH] = &full;
  return PETSC_SUCCESS;
}

static PetscErrorCode add_point(builder *b, size_t block, const ip_value *const given[])
{
  const ip_options *options = b->plan->options;
  const uint32_t repeat = (uint32_t)ip_options_value(options, block, IP_KEY_REPEAT)->integer;
  const ip_value *value[IP_KEYS];
  ip_text identity = {0};

  memcpy(value, given, sizeof value);
  PetscCall(name_full_batch(b->plan, block, value));

  const PetscErrorCode code = write_identity(value, &identity);

  if (code != PETSC_SUCCESS) {
    ip_text_clear(&identity);
    return code;
  }

  uint32_t *slot = find_slot(b, identity.text);

  if (*slot)
    ip_text_clear(&identity);
  else {
    point *fresh = &b->point[b->n];

    *slot = (uint32_t)++b->n;
    fresh->identity = identity.text;
    PetscCall(IP_ALLOCATE(options->n_blocks, &fresh->member));
    PetscCall(fill_run(b->plan, block, value, &fresh->run));
    PetscCall(place_architecture(b->plan, &fresh->run));
  }

  point *p = &b->point[*slot - 1];

  p->member[block] = 1;
  if (repeat > p->repeat) p->repeat = repeat;
  return PETSC_SUCCESS;
}

static PetscErrorCode collect_points(builder *b)
{
  const ip_options *options = b->plan->options;
  grid g;

  for (size_t i = 0; i < options->n_blocks; i++)
    for (grid_begin(&g, &options->block[i], GRID_RUNS); !g.end; grid_next(&g)) b->room++;
  IP_CHECK(b->room < INT32_MAX / 4, IP_ERR_CONFIG,
           "%zu grid points are more than can be planned", b->room);
  b->slots = 2 * b->room + 1;
  PetscCall(IP_ALLOCATE(b->room, &b->point));
  PetscCall(IP_ALLOCATE(b->slots, &b->slot));
  PetscCall(IP_ALLOCATE(b->room, &b->plan->architecture));
  for (size_t i = 0; i < options->n_blocks; i++)
    for (grid_begin(&g, &options->block[i], GRID_RUNS); !g.end; grid_next(&g))
      PetscCall(add_point(b, i, g.value));
  return PETSC_SUCCESS;
}

/* ---- columns ------------------------------------------------------------------------------------ */

static int32_t find_column(const ip_plan *plan, const char *name)
{
  for (size_t c = 0; c < plan->n_columns; c++)
    if (strcmp(plan->column[c].name, name) == 0) return (int32_t)c;
  return -1;
}

static PetscErrorCode collect_columns(ip_plan *plan)
{
  const ip_options *options = plan->options;
  size_t room = 0;

  for (size_t b = 0; b < options->n_blocks; b++) room += options->block[b].n_columns;
  PetscCall(IP_ALLOCATE(room, &plan->column));
  for (size_t b = 0; b < options->n_blocks; b++)
    for (size_t c = 0; c < options->block[b].n_columns; c++)
      if (find_column(plan, options->block[b].column[c].name) < 0)
        plan->column[plan->n_columns++] = options->block[b].column[c];
  return PETSC_SUCCESS;
}

/* ---- measures ----------------------------------------------------------------------------------- */

/* The union of two ascending lists of epochs, in a new list. */
static PetscErrorCode merge_epochs(size_t *n, int32_t **epoch, size_t m, const int32_t other[])
{
  int32_t *both = NULL;
  size_t i = 0, j = 0, k = 0;

  PetscCall(IP_ALLOCATE(*n + m, &both));
  while (i < *n || j < m) {
    const int32_t a = i < *n ? (*epoch)[i] : INT32_MAX, b = j < m ? other[j] : INT32_MAX;

    both[k++] = a < b ? a : b;
    i += (size_t)(a <= b);
    j += (size_t)(b <= a);
  }
  ip_release(epoch);
  *epoch = both;
  *n = k;
  return PETSC_SUCCESS;
}

/* The epochs at which a block looks; of given activations exactly those. */
static PetscErrorCode list_epochs(const ip_plan *plan, size_t block, int32_t last, size_t *n,
                                  int32_t **epoch)
{
  const ip_value *look = ip_options_value(plan->options, block, IP_KEY_LOOK);

  if (!ip_block_is_given(&plan->options->block[block]))
    return ip_look_epochs(look, last, n, epoch);
  PetscCall(IP_ALLOCATE(look->n, epoch));
  for (size_t i = 0; i < look->n; i++) (*epoch)[i] = (int32_t)look->list[i];
  *n = look->n;
  return PETSC_SUCCESS;
}

/* Add what one block measures; looks are still epochs, not yet indices. */
static PetscErrorCode join_block(const ip_plan *plan, size_t block, int32_t last, ip_measure *m)
{
  const ip_options *options = plan->options;
  const ip_block *source = &options->block[block];
  const size_t batch = (size_t)ip_options_value(options, block, IP_KEY_GRADIENT_BATCH)->integer;
  const ip_save save = (ip_save)ip_options_value(options, block, IP_KEY_SAVE_WEIGHTS)->word;
  size_t n;
  int32_t *epoch = NULL;

  PetscCall(list_epochs(plan, block, last, &n, &epoch));

  const PetscErrorCode code = merge_epochs(&m->n_looks, &m->look, n, epoch);

  ip_release(&epoch);
  PetscCall(code);
  for (size_t c = 0; c < source->n_columns; c++) {
    const int32_t column = find_column(plan, source->column[c].name);
    bool have = false;

    for (size_t i = 0; i < m->n_columns; i++) have = have || m->column[i] == column;
    if (!have) m->column[m->n_columns++] = column;
  }
  IP_CHECK(m->gradient_batch == 0 || m->gradient_batch == batch, IP_ERR_CONFIG,
           "study %s: gradient_batch %zu, but another block measures the same runs with %zu; "
           "give both the same",
           source->name, batch, m->gradient_batch);
  m->gradient_batch = batch;
  if (save > m->save) m->save = save;
  if (ip_options_value(options, block, IP_KEY_SAVE_ACTIVATIONS)->integer) m->activations = true;
  return PETSC_SUCCESS;
}

/* The measure of a run that belongs to these blocks and ends at this epoch. */
static PetscErrorCode place_measure(builder *b, const int8_t member[], ip_run *run)
{
  ip_plan *plan = b->plan;
  const size_t blocks = plan->n_studies;

  for (size_t i = 0; i < plan->n_measures; i++)
    if (b->last[i] == run->epochs && memcmp(b->members[i], member, blocks) == 0) {
      run->measure = (int32_t)i;
      return PETSC_SUCCESS;
    }

  ip_measure *m = &plan->measure[plan->n_measures];

  run->measure = (int32_t)plan->n_measures;
  b->last[plan->n_measures] = run->epochs;
  PetscCall(IP_ALLOCATE(blocks, &b->members[plan->n_measures]));
  memcpy(b->members[plan->n_measures++], member, blocks);
  PetscCall(IP_ALLOCATE(plan->n_columns, &m->column));
  for (size_t s = 0; s < blocks; s++)
    if (member[s]) PetscCall(join_block(plan, s, run->epochs, m));
  return merge_epochs(&plan->n_epochs, &plan->epoch, m->n_looks, m->look);
}

/* Epochs of the measures become indices into the axis. */
static void index_looks(ip_plan *plan)
{
  for (size_t i = 0; i < plan->n_measures; i++) {
    ip_measure *m = &plan->measure[i];
    size_t e = 0;

    for (size_t l = 0; l < m->n_looks; l++) {
      while (plan->epoch[e] != m->look[l]) e++;
      m->look[l] = (int32_t)e;
    }
  }
}

/* ---- runs --------------------------------------------------------------------------------------- */

size_t ip_run_parameters(const ip_plan *plan, size_t run)
{
  const ip_architecture *a = &plan->architecture[plan->run[run].architecture];
  size_t n = 0;

  for (size_t l = 1; l <= a->layers; l++)
    n += ((size_t)a->width[l - 1] + 1) * (size_t)a->width[l];
  return n;
}

static void predict_cost(const ip_plan *plan, ip_run *run)
{
  const ip_architecture *a = &plan->architecture[run->architecture];
  const ip_measure *m = &plan->measure[run->measure];
  const double n = (double)plan->data->set[run->data]->n;
  double per_sample = 0.0, per_look = 0.0;

  for (size_t l = 1; l <= a->layers; l++) {
    const size_t units = (size_t)a->width[l];

    per_sample += (double)units * (6.0 * a->width[l - 1] + 20.0);
    for (size_t e = 0; ip_estimator_row(e); e++) {
      size_t columns = 0;

      for (size_t c = 0; c < m->n_columns; c++)
        columns += (size_t)(plan->column[m->column[c]].estimator == ip_estimator_row(e));
      if (columns) per_look += ip_estimator_row(e)->cost((size_t)n, units, columns);
    }
  }
  run->cost_epoch = fmax(0.0, run->train_size) * per_sample;
  run->cost_look = per_look + 2.0 * n * per_sample;
  run->cost = run->epochs * run->cost_epoch + (double)m->n_looks * run->cost_look;
}

static PetscErrorCode place_run(builder *b, const point *p, uint32_t replicate)
{
  ip_plan *plan = b->plan;
  const size_t r = plan->n_runs++;
  ip_run *run = &plan->run[r];
  int8_t *member = &plan->in_study[r * plan->n_studies];

  *run = p->run;
  run->replicate = replicate;
  run->number = (int32_t)r;
  for (size_t s = 0; s < plan->n_studies; s++) {
    const int64_t repeat = ip_options_value(plan->options, s, IP_KEY_REPEAT)->integer;

    member[s] = (int8_t)(p->member[s] && replicate < repeat);
  }
  PetscCall(place_measure(b, member, run));
  predict_cost(plan, run);

  const ip_measure *m = &plan->measure[run->measure];

  if (m->save > plan->save) plan->save = m->save;
  if (m->save != IP_SAVE_NO && ip_run_parameters(plan, r) > plan->n_parameters)
    plan->n_parameters = ip_run_parameters(plan, r);
  return PETSC_SUCCESS;
}

static PetscErrorCode place_runs(builder *b)
{
  ip_plan *plan = b->plan;
  uint32_t replicates = 0;
  size_t runs = 0;

  for (size_t i = 0; i < b->n; i++) {
    runs += b->point[i].repeat;
    if (b->point[i].repeat > replicates) replicates = b->point[i].repeat;
  }
  IP_CHECK(runs < INT32_MAX, IP_ERR_CONFIG, "%zu runs are more than can be planned", runs);
  PetscCall(IP_ALLOCATE(runs, &plan->run));
  PetscCall(IP_ALLOCATE(runs * plan->n_studies, &plan->in_study));

  /* A measure belongs to a set of blocks and a last epoch: at most one a point and one more for
     each block whose replicates end earlier. */
  const size_t measures = b->n * (plan->n_studies + 1);

  PetscCall(IP_ALLOCATE(measures, &plan->measure));
  PetscCall(IP_ALLOCATE(measures, &b->members));
  PetscCall(IP_ALLOCATE(measures, &b->last));
  for (uint32_t r = 0; r < replicates; r++)
    for (size_t i = 0; i < b->n; i++)
      if (r < b->point[i].repeat) PetscCall(place_run(b, &b->point[i], r));
  index_looks(plan);
  return PETSC_SUCCESS;
}

/* ---- parts of a run whose activations are given ------------------------------------------------- */

/* One row a look, and one more. */
static PetscErrorCode split_run(ip_plan *plan)
{
  const size_t rows = plan->n_epochs + 1;
  ip_run *row = NULL;
  int8_t *member = NULL;

  IP_CHECK(plan->n_runs == 1, IP_ERR_CONFIG,
           "activations of one network are measured at a time, not of %zu", plan->n_runs);
  PetscCall(IP_ALLOCATE(rows, &row));
  const PetscErrorCode code = IP_ALLOCATE(rows * plan->n_studies, &member);

  for (size_t i = 0; i < rows; i++) {
    row[i] = plan->run[0];
    row[i].number = i < plan->n_epochs ? plan->epoch[i] : -1;
    row[i].cost = row[i].cost_look;
  }
  for (size_t i = 0; !code && i < rows * plan->n_studies; i++) member[i] = 1;
  ip_release(&plan->run);
  plan->run = row;
  PetscCall(code);
  ip_release(&plan->in_study);
  plan->in_study = member;
  plan->n_runs = plan->n_complete = plan->parts = rows;
  return PETSC_SUCCESS;
}

bool ip_plan_is_given(const ip_plan *plan)
{
  return plan->parts > 1;
}

/* ---- front door --------------------------------------------------------------------------------- */

static PetscErrorCode build(builder *b)
{
  const ip_value *share = ip_options_value(b->plan->options, 0, IP_KEY_SHARE);

  PetscCall(collect_points(b));
  PetscCall(collect_columns(b->plan));
  PetscCall(place_runs(b));
  b->plan->parts = 1;
  for (size_t i = 0; i < b->plan->n_studies; i++)
    if (ip_block_is_given(&b->plan->options->block[i])) return split_run(b->plan);
  b->plan->n_complete = b->plan->n_runs;
  if (share->n <= 1) return PETSC_SUCCESS;
  return share_keep(b->plan, (size_t)share->integer, share->n);
}

static void builder_clear(builder *b)
{
  for (size_t i = 0; i < b->n; i++) {
    ip_release(&b->point[i].identity);
    ip_release(&b->point[i].member);
  }
  for (size_t i = 0; b->members && i < b->plan->n_measures; i++) ip_release(&b->members[i]);
  ip_release(&b->point);
  ip_release(&b->slot);
  ip_release(&b->members);
  ip_release(&b->last);
}

PetscErrorCode ip_plan_create(const ip_options *options, const ip_data *data, ip_plan **plan)
{
  builder b = {0};

  PetscCall(IP_ALLOCATE(1, &b.plan));
  b.plan->options = options;
  b.plan->data = data;
  b.plan->n_studies = options->n_blocks;

  const PetscErrorCode code = build(&b);

  builder_clear(&b);
  if (code != PETSC_SUCCESS) {
    ip_plan_destroy(&b.plan);
    return code;
  }
  *plan = b.plan;
  return PETSC_SUCCESS;
}

void ip_plan_destroy(ip_plan **plan)
{
  ip_plan *p = *plan;

  if (!p) return;
  for (size_t a = 0; a < p->n_architectures; a++) {
    ip_release(&p->architecture[a].width);
    ip_release(&p->architecture[a].label);
  }
  for (size_t m = 0; m < p->n_measures; m++) {
    ip_release(&p->measure[m].look);
    ip_release(&p->measure[m].column);
  }
  ip_release(&p->run);
  ip_release(&p->in_study);
  ip_release(&p->epoch);
  ip_release(&p->column);
  ip_release(&p->architecture);
  ip_release(&p->measure);
  ip_release(plan);
}

PetscErrorCode ip_plan_identity(const ip_plan *plan, size_t run, ip_text *text)
{
  const ip_run *r = &plan->run[run];

  PetscCall(write_identity(r->value, text));
  if (ip_plan_is_given(plan)) PetscCall(ip_text_add(text, "part: %d\n", (int)r->number));
  return ip_text_add(text, "replicate: %u\ndata: %016llx\n", r->replicate,
                     (unsigned long long)plan->data->checksum[r->data]);
}

/* The first of the measure's columns by name that comes after this one. */
static const char *next_column(const ip_plan *plan, const ip_measure *m, const char *after)
{
  const char *next = NULL;

  for (size_t c = 0; c < m->n_columns; c++) {
    const char *name = plan->column[m->column[c]].name;

    if (strcmp(name, after) > 0 && (!next || strcmp(name, next) < 0)) next = name;
  }
  return next;
}

PetscErrorCode ip_plan_measures(const ip_plan *plan, size_t run, ip_text *text)
{
  const ip_measure *m = &plan->measure[plan->run[run].measure];

  PetscCall(ip_text_add(text, "epochs:"));
  for (size_t l = 0; l < m->n_looks; l++)
    PetscCall(ip_text_add(text, " %d", (int)plan->epoch[m->look[l]]));
  PetscCall(ip_text_add(text, "\ncolumns:"));
  for (const char *name = ""; (name = next_column(plan, m, name)) != NULL;)
    PetscCall(ip_text_add(text, " %s", name));
  PetscCall(
      ip_text_add(text, "\ngradient_batch: %zu\nsave: %d\n", m->gradient_batch, (int)m->save));
  return m->activations ? ip_text_add(text, "activations: yes\n") : PETSC_SUCCESS;
}

size_t ip_plan_memory(const ip_plan *plan, size_t ranks_per_run)
{
  size_t record = 0, most = 0;

  for (size_t f = 0; f < IP_FIELDS; f++)
    record += ip_field_length(plan, f) * ip_number_size(ip_field_row(f)->type);
  for (size_t r = 0; r < plan->n_runs; r++) {
    const ip_run *run = &plan->run[r];
    const ip_architecture *a = &plan->architecture[run->architecture];
    size_t units = 0, bytes = 0;

    for (size_t l = 1; l <= a->layers; l++) units += (size_t)a->width[l];
    bytes = 2 * units * plan->data->set[run->data]->n * sizeof(float); /* snapshot, subset */
    bytes += ((size_t)a->width[0] + 2 * units) * (size_t)run->batch * sizeof(float);
    bytes +=
        (6 + plan->measure[run->measure].n_looks) * ip_run_parameters(plan, r) * sizeof(float);
    if (ranks_per_run > 1 && ip_run_is_shared(plan, r))
      bytes += IP_CREW_BYTES + ASSIST_KEPT_BYTES; /* items being made, and those made before */
    if (bytes > most) most = bytes;
  }
  return record + most;
}

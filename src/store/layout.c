/* The layout as a list: rows of layout.def, coordinates of the options, parameters of the columns,
   and what record.def declares. */

#include "layout.h"
#include <infoplane/bottleneck.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- lengths and coordinates of axes ---------------------------------------------------------- */

/* Only labels that are not certain have a bottleneck curve. */
static size_t count_betas(const ip_plan *plan)
{
  bool stochastic = false;
  size_t n = 0;

  if (ip_plan_is_given(plan)) return 0; /* nobody knows the whole of p(y|x) */
  for (size_t i = 0; i < plan->data->n; i++) stochastic = stochastic || plan->data->set[i]->p;
  while (stochastic && !isnan(ip_bottleneck_beta(n))) n++;
  return n;
}

static size_t along_length(const ip_plan *plan, ip_along along)
{
  const size_t length[ALONG_COUNT] = {
      [ALONG_run] = plan->n_runs / plan->parts,
      [ALONG_part] = plan->parts,
      [ALONG_study] = plan->n_studies,
      [ALONG_data] = plan->data->n,
      [ALONG_architecture] = plan->n_architectures,
      [ALONG_column] = plan->n_columns,
      [ALONG_epoch] = plan->n_epochs,
      [ALONG_layer] = plan->n_layers,
      [ALONG_looked] = plan->n_parameters > 0 ? ip_axis_length(plan, IP_AXIS_LOOKED) : 0,
      [ALONG_weight] = plan->n_parameters,
      [ALONG_bound] = 2,
      [ALONG_beta] = count_betas(plan),
      [ALONG_build] = IP_LAYOUT_BUILDS,
      [ALONG_letter] = IP_LAYOUT_BUILD,
      [ALONG_launch] = IP_LAYOUT_LAUNCHES,
      [ALONG_byte] = IP_LAYOUT_LAUNCH,
  };

  return length[along];
}

static PetscErrorCode along_text(const ip_plan *plan, const ip_variable *variable, void *values)
{
  char **text = values;

  for (size_t i = 0; i < variable->length[0]; i++) {
    const char *name = NULL;

    if (variable->along[0] == ALONG_study) name = plan->options->block[i].name;
    if (variable->along[0] == ALONG_data) name = plan->data->label[i];
    if (variable->along[0] == ALONG_architecture) name = plan->architecture[i].label;
    if (variable->along[0] == ALONG_column) name = plan->column[i].name;
    PetscCall(ip_text_copy(name ? name : "", &text[i]));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode along_betas(const ip_plan *plan, const ip_variable *variable,
                                  void *values)
{
  (void)plan;
  for (size_t i = 0; i < variable->length[0]; i++)
    ((double *)values)[i] = ip_bottleneck_beta(i);
  return PETSC_SUCCESS;
}

static PetscErrorCode along_numbers(const ip_plan *plan, const ip_variable *variable,
                                    void *values)
{
  int32_t *number = values;
  const bool looked = variable->along[0] == ALONG_looked;

  for (size_t i = 0; i < variable->length[0]; i++) {
    number[i] = (int32_t)i;
    if (variable->along[0] == ALONG_run && !ip_plan_is_given(plan))
      number[i] = plan->run[i].number;
    if (variable->along[0] == ALONG_layer) number[i] = (int32_t)i + 1;
    if (variable->along[0] == ALONG_epoch || looked) number[i] = plan->epoch[i];
  }
  if (looked && plan->save != IP_SAVE_LOOKED) number[0] = -1;
  return PETSC_SUCCESS;
}

/* ---- values of the rows of layout.def ---------------------------------------------------------- */

static const char *no_yes(size_t i)
{
  static const char *const word[] = {"no", "yes"};

  return i < 2 ? word[i] : NULL;
}

static PetscErrorCode in_study(const ip_plan *plan, const ip_variable *variable, void *values)
{
  memcpy(values, plan->in_study, ip_variable_elements(variable));
  return PETSC_SUCCESS;
}

static PetscErrorCode zeros(const ip_plan *plan, const ip_variable *variable, void *values)
{
  (void)plan;
  memset(values, 0, ip_variable_elements(variable) * ip_number_size(variable->type));
  return PETSC_SUCCESS;
}

/* An int32 of every run that stands in the plan as it is. */
#define OF_RUN(name, member)                                                                   \
  static PetscErrorCode name(const ip_plan *plan, const ip_variable *variable, void *values)   \
  {                                                                                            \
    for (size_t r = 0; r < variable->length[0]; r++)                                           \
      ((int32_t *)values)[r] = (int32_t)plan->run[r].member;                                   \
    return PETSC_SUCCESS;                                                                      \
  }
OF_RUN(replicate, replicate)
OF_RUN(data_index, data)
OF_RUN(architecture_index, architecture)
OF_RUN(train_size, train_size)
#undef OF_RUN

/* An int32 of every data set. */
#define OF_DATA(name, value)                                                                   \
  static PetscErrorCode name(const ip_plan *plan, const ip_variable *variable, void *values)   \
  {                                                                                            \
    (void)variable;                                                                            \
    for (size_t i = 0; i < plan->data->n; i++)                                                 \
      ((int32_t *)values)[i] = (int32_t)plan->data->set[i]->value;                             \
    return PETSC_SUCCESS;                                                                      \
  }
OF_DATA(data_patterns, n)
OF_DATA(data_features, d)
OF_DATA(data_classes, k)
#undef OF_DATA

static PetscErrorCode data_certain(const ip_plan *plan, const ip_variable *variable,
                                   void *values)
{
  (void)variable;
  for (size_t i = 0; i < plan->data->n; i++)
    ((int8_t *)values)[i] = (int8_t)(plan->data->set[i]->p == NULL);
  return PETSC_SUCCESS;
}

static PetscErrorCode data_checksum(const ip_plan *plan, const ip_variable *variable,
                                    void *values)
{
  memcpy(values, plan->data->checksum, ip_variable_elements(variable) * sizeof(uint64_t));
  return PETSC_SUCCESS;
}

static PetscErrorCode width(const ip_plan *plan, const ip_variable *variable, void *values)
{
  int32_t *w = values; /* shape (n_architectures, n_layers) */

  (void)variable;
  for (size_t a = 0; a < plan->n_architectures; a++) {
    const ip_architecture *architecture = &plan->architecture[a];

    for (size_t l = 0; l < plan->n_layers; l++)
      *w++ = l < architecture->layers ? architecture->width[l + 1] : 0;
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode weight_offset(const ip_plan *plan, const ip_variable *variable,
                                    void *values)
{
  int64_t *offset = values; /* shape (n_architectures, n_layers) */

  (void)variable;
  for (size_t a = 0; a < plan->n_architectures; a++) {
    const ip_architecture *architecture = &plan->architecture[a];
    int64_t next = 0;

    for (size_t l = 0; l < plan->n_layers; l++) {
      *offset++ = l < architecture->layers ? next : -1;
      if (l < architecture->layers)
        next += (int64_t)architecture->width[l + 1] * (architecture->width[l] + 1);
    }
  }
  return PETSC_SUCCESS;
}

/* The bottleneck curve of every data set; NaN where labels are certain. */
static PetscErrorCode curve(const ip_plan *plan, const ip_variable *variable, bool of_y,
                            double value[])
{
  const size_t n = variable->length[1];
  ip_bound_point *point = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscCall(IP_ALLOCATE(n, &point));
  for (size_t i = 0; i < variable->length[0] && code == PETSC_SUCCESS; i++) {
    const bool certain = !plan->data->set[i]->p;

    if (!certain) code = ip_data_curve(plan->data, i, n, point);
    for (size_t b = 0; b < n; b++)
      *value++ = certain ? (double)NAN : of_y ? point[b].i_ty : point[b].i_xt;
  }
  ip_release(&point);
  return code;
}

static PetscErrorCode curve_i_xt(const ip_plan *plan, const ip_variable *variable, void *values)
{
  return curve(plan, variable, false, values);
}

static PetscErrorCode curve_i_ty(const ip_plan *plan, const ip_variable *variable, void *values)
{
  return curve(plan, variable, true, values);
}

static PetscErrorCode column_kind(const ip_plan *plan, const ip_variable *variable,
                                  void *values)
{
  (void)variable;
  for (size_t c = 0; c < plan->n_columns; c++)
    PetscCall(ip_text_copy(plan->column[c].estimator->name, &((char **)values)[c]));
  return PETSC_SUCCESS;
}

static PetscErrorCode column_on(const ip_plan *plan, const ip_variable *variable, void *values)
{
  (void)variable;
  for (size_t c = 0; c < plan->n_columns; c++)
    PetscCall(ip_text_copy(ip_on_name(plan->column[c].on), &((char **)values)[c]));
  return PETSC_SUCCESS;
}

/* ---- coordinates of the options ---------------------------------------------------------------- */

/* What an option says of a run; full, all and optimizer steps are resolved to numbers. */
static double option_number(const ip_plan *plan, const ip_run *run, size_t key)
{
  const ip_value *value = run->value[key];
  const ip_type type = ip_option_row(key)->type;

  if (key == IP_KEY_TRAIN_EPOCHS) return run->epochs;
  if (key == IP_KEY_TRAIN_BATCH) return (double)run->batch;
  if (key == IP_KEY_DATASET_SAMPLES) return (double)plan->data->set[run->data]->n;
  if (!value) return (double)NAN;
  if (type == IP_CHOICE) return value->word;
  return type == IP_INTEGER ? (double)value->integer : value->real;
}

static PetscErrorCode option_values(const ip_plan *plan, const ip_variable *variable,
                                    void *values)
{
  for (size_t r = 0; r < variable->length[0]; r++) {
    const double number = option_number(plan, &plan->run[r], variable->key);
    const double whole = isnan(number) ? -1 : number;

    if (variable->type == IP_UINT64) ((uint64_t *)values)[r] = plan->run[r].seed;
    if (variable->type == IP_FLOAT64) ((double *)values)[r] = number;
    if (variable->type == IP_INT32) ((int32_t *)values)[r] = (int32_t)whole;
    if (variable->type == IP_INT8) ((int8_t *)values)[r] = (int8_t)whole;
  }
  return PETSC_SUCCESS;
}

/* ---- parameters of the columns ------------------------------------------------------------------ */

/* The column's value of the parameter with this coordinate; NULL: it has none. */
static const ip_value *column_value(const ip_column *column, const char *coordinate,
                                    const ip_parameter **row)
{
  const ip_parameter *parameter = column->estimator->parameter;

  for (size_t p = 0; parameter[p].key; p++)
    if (strcmp(parameter[p].coordinate, coordinate) == 0) {
      *row = &parameter[p];
      return ip_column_has(column, p) ? &column->value[p] : NULL;
    }
  return NULL;
}

static PetscErrorCode parameter_values(const ip_plan *plan, const ip_variable *variable,
                                       void *values)
{
  for (size_t c = 0; c < plan->n_columns; c++) {
    const ip_parameter *row = NULL;
    const ip_value *value = column_value(&plan->column[c], variable->name, &row);
    double number = (double)NAN;

    if (value) number = row->type == IP_REAL ? value->real : (double)value->integer;
    ((double *)values)[c] = number;
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode parameter_texts(const ip_plan *plan, const ip_variable *variable,
                                      void *values)
{
  for (size_t c = 0; c < plan->n_columns; c++) {
    const ip_parameter *row = NULL;
    const ip_value *value = column_value(&plan->column[c], variable->name, &row);
    ip_text text = {0};

    PetscErrorCode code = ip_text_add(&text, "%s", "");
    if (!code && value) code = ip_value_format(row, value, &text);
    ((char **)values)[c] = text.text;
    PetscCall(code);
  }
  return PETSC_SUCCESS;
}

/* ---- the list ------------------------------------------------------------------------------------ */

static const ip_variable row[] = {
#define IP_ALONG(name_, group_, type_, unit_, long_name_, definition_)                         \
  {.name = #name_,                                                                             \
   .group = (group_),                                                                          \
   .type = (type_),                                                                            \
   .axis = true,                                                                               \
   .n_axes = 1,                                                                                \
   .along = {ALONG_##name_},                                                                   \
   .unit = (unit_),                                                                            \
   .long_name = (long_name_),                                                                  \
   .definition = (definition_),                                                                \
   .values = (type_) == IP_TEXT      ? along_text                                              \
             : (type_) == IP_FLOAT64 ? along_betas                                             \
                                     : along_numbers,                                          \
   .field = IP_FIELDS},
#define IP_AXES_(...)                                                                          \
  .n_axes = sizeof((ip_along[]){__VA_ARGS__}) / sizeof(ip_along), .along = {__VA_ARGS__}
#define IP_HELD(name_, group_, type_, axes_, unit_, long_name_, definition_, flags_, values_)  \
  {.name = #name_,                                                                             \
   .group = (group_),                                                                          \
   .type = (type_),                                                                            \
   axes_,                                                                                      \
   .unit = (unit_),                                                                            \
   .long_name = (long_name_),                                                                  \
   .definition = (definition_),                                                                \
   .flags = (flags_),                                                                          \
   .values = (values_),                                                                        \
   .field = IP_FIELDS},
#include "layout.def"
};
enum { ROWS = sizeof row / sizeof row[0] };

/* Append a variable, unless it has no elements. */
static void add(const ip_plan *plan, ip_layout *layout, const ip_variable *variable)
{
  ip_variable *next = &layout->variable[layout->n];

  *next = *variable;
  for (size_t a = 0; a < next->n_axes; a++)
    if ((next->length[a] = along_length(plan, next->along[a])) == 0) return;
  layout->n++;
}

/* Coordinates of runs are whole numbers, numbers and words. */
static ip_variable of_option(size_t key)
{
  const ip_parameter *option = ip_option_row(key);
  ip_number type = IP_FLOAT64;

  if (option->type == IP_INTEGER) type = key == IP_KEY_SEED ? IP_UINT64 : IP_INT32;
  if (option->type == IP_CHOICE) type = IP_INT8;
  return (ip_variable){.group = "",
                       .name = option->coordinate,
                       .type = type,
                       .n_axes = 1,
                       .along = {ALONG_run},
                       .unit = option->unit,
                       .long_name = option->sentence,
                       .reference = option->reference,
                       .flags = option->type == IP_CHOICE ? option->choice : NULL,
                       .values = option_values,
                       .key = key,
                       .field = IP_FIELDS};
}

static ip_variable of_parameter(const ip_parameter *p)
{
  const bool text = p->type == IP_INTERVAL || p->type == IP_CHOICE;

  return (ip_variable){.group = "",
                       .name = p->coordinate,
                       .type = text ? IP_TEXT : IP_FLOAT64,
                       .n_axes = 1,
                       .along = {ALONG_column},
                       .unit = p->unit,
                       .long_name = p->sentence,
                       .reference = p->reference,
                       .values = text ? parameter_texts : parameter_values,
                       .parameter = p,
                       .field = IP_FIELDS};
}

static ip_variable of_field(size_t f)
{
  static const ip_along along[IP_AXES] = {
      [IP_AXIS_COLUMN] = ALONG_column, [IP_AXIS_EPOCH] = ALONG_epoch,
      [IP_AXIS_LAYER] = ALONG_layer,   [IP_AXIS_WEIGHT] = ALONG_weight,
      [IP_AXIS_LOOKED] = ALONG_looked, [IP_AXIS_BOUND] = ALONG_bound,
  };
  const ip_field *field = ip_field_row(f);
  ip_variable variable = {.group = "",
                          .name = field->name,
                          .type = field->type,
                          .n_axes = field->n_axes + 1,
                          .along = {ALONG_run},
                          .unit = field->unit,
                          .long_name = field->long_name,
                          .definition = field->definition,
                          .reference = field->reference,
                          .field = f};

  for (size_t a = 0; a < field->n_axes; a++) variable.along[a + 1] = along[field->axis[a]];
  return variable;
}

static void add_parameters(const ip_plan *plan, ip_layout *layout, const ip_column *column)
{
  for (const ip_parameter *p = column->estimator->parameter; p->key; p++) {
    const ip_variable variable = of_parameter(p);

    if (!ip_layout_find(layout, "", p->coordinate)) add(plan, layout, &variable);
  }
}

PetscErrorCode ip_layout_create(const ip_plan *plan, ip_layout **layout)
{
  const size_t most = (size_t)ROWS + IP_KEYS + plan->n_columns * IP_MAX_PARAMETERS + IP_FIELDS;
  const size_t longest = INT32_MAX; /* the coordinates are int32 */
  ip_layout *l;

  for (int along = 0; along < ALONG_COUNT; along++)
    IP_CHECK(along_length(plan, (ip_along)along) <= longest, IP_ERR_CONFIG,
             "%zu elements along %s are more than the file can count",
             along_length(plan, (ip_along)along), row[along].name);
  PetscCall(IP_ALLOCATE(1, &l));
  const PetscErrorCode code = IP_ALLOCATE(most, &l->variable);

  if (code) {
    ip_release(&l);
    return code;
  }
  for (size_t i = 0; i < ROWS; i++) add(plan, l, &row[i]);
  for (size_t key = 0; key < IP_KEYS; key++) {
    const ip_variable variable = of_option(key);

    if (variable.name) add(plan, l, &variable);
  }
  for (size_t c = 0; c < plan->n_columns; c++) add_parameters(plan, l, &plan->column[c]);
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const ip_variable variable = of_field(f);

    add(plan, l, &variable);
  }
  *layout = l;
  return PETSC_SUCCESS;
}

void ip_layout_destroy(ip_layout **layout)
{
  if (!*layout) return;
  ip_release(&(*layout)->variable);
  ip_release(layout);
}

bool ip_layout_row(size_t i, ip_variable *variable)
{
  const ip_estimator *estimator;

  if (i < ROWS) {
    *variable = row[i];
    return true;
  }
  i -= ROWS;
  for (size_t key = 0; key < IP_KEYS; key++)
    if (ip_option_row(key)->coordinate && i-- == 0) {
      *variable = of_option(key);
      return true;
    }
  for (size_t e = 0; (estimator = ip_estimator_row(e)) != NULL; e++)
    for (const ip_parameter *p = estimator->parameter; p->key; p++)
      if (i-- == 0) {
        *variable = of_parameter(p);
        return true;
      }
  if (i >= IP_FIELDS) return false;
  *variable = of_field(i);
  return true;
}

const char *ip_along_name(ip_along along)
{
  return row[along].name;
}

void ip_variable_path(const ip_variable *variable, char path[IP_VARIABLE_PATH])
{
  snprintf(path, IP_VARIABLE_PATH, "%s%s%s", variable->group, variable->group[0] ? "/" : "",
           variable->name);
}

const char *ip_variable_key(const ip_variable *variable)
{
  if (variable->values == option_values) return ip_option_name(variable->key);
  return variable->parameter ? variable->parameter->key : NULL;
}

const ip_variable *ip_layout_find(const ip_layout *layout, const char *group, const char *name)
{
  for (size_t i = 0; i < layout->n; i++)
    if (strcmp(layout->variable[i].name, name) == 0 &&
        strcmp(layout->variable[i].group, group) == 0)
      return &layout->variable[i];
  return NULL;
}

bool ip_variable_fixed(const ip_variable *variable)
{
  return variable->values && variable->values != zeros && variable->values != curve_i_xt &&
         variable->values != curve_i_ty;
}

size_t ip_variable_elements(const ip_variable *variable)
{
  return variable->length[0] * ip_variable_row(variable);
}

size_t ip_variable_row(const ip_variable *variable)
{
  size_t elements = 1;

  for (size_t a = 1; a < variable->n_axes; a++) elements *= variable->length[a];
  return elements;
}

bool ip_variable_describes(const ip_variable *variable, const ip_variable *other)
{
  if (variable->axis || variable->n_axes != 1 || variable->group[0] || other->group[0] ||
      variable->field < IP_FIELDS || (other->n_axes < 2 && other->field == IP_FIELDS))
    return false;
  for (size_t a = 0; a < other->n_axes; a++)
    if (other->along[a] == variable->along[0]) return true;
  return false;
}

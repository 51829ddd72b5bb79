/* Options as text again: what is compared when a file is continued, and where each value is from. */

#include "reader.h"
#include <string.h>

static bool stands_in_block(size_t key)
{
  const ip_scope scope = ip_option_row(key)->scope;

  return scope == IP_SCOPE_RUN || scope == IP_SCOPE_MEASURE || key == IP_KEY_REPEAT;
}

static PetscErrorCode add_values(const ip_parameter *row, const ip_values *values,
                                 ip_text *yaml)
{
  if (values->n == 1) return ip_value_format(row, &values->value[0], yaml);
  for (size_t i = 0; i < values->n; i++) {
    PetscCall(ip_text_add(yaml, i == 0 ? "[" : ", "));
    PetscCall(ip_value_format(row, &values->value[i], yaml));
  }
  return ip_text_add(yaml, "]");
}

static PetscErrorCode add_column(const ip_column *column, ip_text *yaml)
{
  const ip_estimator *estimator = column->estimator;

  PetscCall(ip_text_add(yaml, "{kind: %s", estimator->name));
  for (size_t p = 0; estimator->parameter[p].key; p++) {
    if (!ip_column_has(column, p)) continue;
    PetscCall(ip_text_add(yaml, ", %s: ", estimator->parameter[p].key));
    PetscCall(ip_value_format(&estimator->parameter[p], &column->value[p], yaml));
  }
  return ip_text_add(yaml, ", on: %s}", ip_on_name(column->on));
}

static PetscErrorCode add_columns(const ip_block *block, ip_text *yaml)
{
  PetscCall(ip_text_add(yaml, "    estimate: ["));
  for (size_t c = 0; c < block->n_columns; c++) {
    if (c > 0) PetscCall(ip_text_add(yaml, ", "));
    PetscCall(add_column(&block->column[c], yaml));
  }
  return ip_text_add(yaml, "]\n");
}

static PetscErrorCode add_origin(const ip_options *options, const ip_values *values,
                                 ip_text *yaml)
{
  if (!values->given) return ip_text_add(yaml, "  # default");
  if (values->origin == IP_ORIGIN_COMMAND_LINE)
    return ip_text_add(yaml, "  # argument %d", values->line);
  return ip_text_add(yaml, "  # %s:%d:%d", options->origin, values->line, values->column);
}

static PetscErrorCode add_key(const ip_options *options, const ip_block *block, size_t key,
                              bool origins, ip_text *yaml)
{
  const ip_values *values = &block->key[key];

  PetscCall(ip_text_add(yaml, "%s: ", ip_option_row(key)->key));
  PetscCall(add_values(ip_option_row(key), values, yaml));
  if (origins) PetscCall(add_origin(options, values, yaml));
  return ip_text_add(yaml, "\n");
}

static PetscErrorCode add_name(const ip_options *options, const ip_block *block, bool origins,
                               ip_text *yaml)
{
  const ip_value name = {.word = -1, .string = block->name};

  PetscCall(ip_text_add(yaml, "  - name: "));
  PetscCall(ip_value_format(ip_option_row(IP_KEY_NAME), &name, yaml));
  if (origins) PetscCall(add_origin(options, &block->key[IP_KEY_NAME], yaml));
  return ip_text_add(yaml, "\n");
}

static PetscErrorCode add_blocks(const ip_options *options, bool origins, ip_text *yaml)
{
  PetscCall(ip_text_add(yaml, "studies:\n"));
  for (size_t b = 0; b < options->n_blocks; b++) {
    const ip_block *block = &options->block[b];

    PetscCall(add_name(options, block, origins, yaml));
    for (size_t key = 0; key < IP_KEYS; key++) {
      if (!stands_in_block(key) || block->key[key].n == 0 || !ip_key_is_used(block, key))
        continue;
      PetscCall(ip_text_add(yaml, "    "));
      PetscCall(add_key(options, block, key, origins, yaml));
    }
    PetscCall(add_columns(block, yaml));
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_options_config(const ip_options *options, ip_text *yaml)
{
  return add_blocks(options, false, yaml);
}

PetscErrorCode ip_options_provenance(const ip_options *options, ip_text *yaml)
{
  for (size_t key = 0; key < IP_KEYS; key++)
    if (!stands_in_block(key) && key != IP_KEY_NAME && options->block[0].key[key].n > 0)
      PetscCall(add_key(options, &options->block[0], key, true, yaml));
  return add_blocks(options, true, yaml);
}

/* What a variable means, told without a file, from the rows that write one. */

#include "layout.h"
#include <infoplane/store.h>
#include <string.h>

enum { LABEL = 14 };

const char *ip_variable_name(size_t i)
{
  ip_variable v;

  return ip_layout_row(i, &v) ? v.name : NULL;
}

const char *ip_variable_sentence(size_t i)
{
  ip_variable v;

  return ip_layout_row(i, &v) ? v.long_name : NULL;
}

/* By its name alone, which no two groups share, or with its group before it. */
static bool find(const char *name, ip_variable *v)
{
  for (size_t i = 0; ip_layout_row(i, v); i++) {
    const size_t group = strlen(v->group);
    const bool grouped = group > 0 && strncmp(name, v->group, group) == 0 && name[group] == '/';

    if (strcmp(grouped ? name + group + 1 : name, v->name) == 0) return true;
  }
  return false;
}

static const char *type_name(ip_number type)
{
  static const char *const name[] = {"float64", "float32", "int64", "int32",
                                     "int8",    "uint64",  "uint8", "text, UTF-8"};

  return name[type];
}

/* What is in the place of a number that is not there. */
static const char *absent(const ip_variable *v)
{
  if (v->axis || v->type == IP_TEXT || v->type == IP_UINT64 || v->type == IP_UINT8) return "";
  return v->type == IP_FLOAT64 || v->type == IP_FLOAT32 ? "; NaN where there is none"
                                                        : "; -1 where there is none";
}

static PetscErrorCode add_line(ip_text *text, const char *label, const char *words)
{
  return words ? ip_text_wrap(text, LABEL, label, words) : PETSC_SUCCESS;
}

static PetscErrorCode add_axes(const ip_variable *v, ip_text *text)
{
  for (size_t a = 0; a < v->n_axes; a++) {
    ip_variable axis;
    ip_text words = {0};

    if (!ip_layout_row((size_t)v->along[a], &axis)) break; /* axes are the first rows */
    const bool named = strncmp(axis.long_name, axis.name, strlen(axis.name)) == 0;
    PetscErrorCode code = ip_text_add(
        &words, "%s%s%s%s%s", named ? "" : axis.name, named ? "" : ": ", axis.long_name,
        axis.definition ? "; " : "", axis.definition ? axis.definition : "");

    if (!code) code = add_line(text, a == 0 ? "  axes" : "", words.text);
    ip_text_clear(&words);
    PetscCall(code);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode add_type(const ip_variable *v, ip_text *text)
{
  ip_text words = {0};
  PetscErrorCode code = ip_text_add(&words, "%s%s", type_name(v->type), absent(v));

  for (size_t i = 0; v->flags && v->flags(i) && !code; i++)
    code = ip_text_add(&words, "%s%zu = %s", i == 0 ? "; " : ", ", i, v->flags(i));
  if (!code) code = add_line(text, "  type", words.text);
  ip_text_clear(&words);
  return code;
}

static PetscErrorCode add_origin(const ip_variable *v, ip_text *text)
{
  const char *key = ip_variable_key(v), *words;
  ip_text of_key = {0};

  if (v->axis)
    words =
        "an axis, the dimension scale of every array along it; written when the file is made";
  else if (v->field < IP_FIELDS)
    words = "recorded by each run, and proved by its checksum";
  else if (ip_variable_fixed(v))
    words = "the input and its data, when the file is made";
  else if (v->values && strncmp(v->name, "curve", 5) == 0)
    words = "solved from the data set alone, when the file is made";
  else
    words = "written by the program while it runs";
  if (key)
    PetscCall(ip_text_add(&of_key, "the key %s%s: infoplane help %s", key,
                          v->parameter ? " of an entry of estimate" : "",
                          v->parameter ? "estimate" : key));
  const PetscErrorCode code = add_line(text, "  comes from", key ? of_key.text : words);

  ip_text_clear(&of_key);
  return code;
}

static PetscErrorCode describe(const ip_variable *v, ip_text *text)
{
  char path[IP_VARIABLE_PATH];

  ip_variable_path(v, path);
  PetscCall(ip_text_add(text, "%s (", path));
  for (size_t a = 0; a < v->n_axes; a++)
    PetscCall(ip_text_add(text, a == 0 ? "%s" : ", %s", ip_along_name(v->along[a])));
  PetscCall(ip_text_add(text, ")\n"));
  PetscCall(ip_text_wrap(text, 2, "  ", v->long_name));
  PetscCall(add_line(text, "  definition", v->definition));
  if (!v->axis) PetscCall(add_axes(v, text));
  PetscCall(add_type(v, text));
  PetscCall(add_line(text, "  unit", strcmp(v->unit, "1") == 0 ? "1 (none)" : v->unit));
  PetscCall(add_origin(v, text));
  return add_line(text, "  source", v->reference);
}

PetscErrorCode ip_variable_explain(const char *name, ip_text *text)
{
  ip_text written = {0};
  ip_variable v;
  const char *nearest = ip_names_nearest(ip_variable_name, name);

  IP_CHECK(find(name, &v), IP_ERR_USAGE, "no variable \"%.60s\".%s%s%s", name,
           nearest ? " Did you mean \"" : " infoplane explain lists them all",
           nearest ? nearest : "", nearest ? "\"?" : "");
  PetscErrorCode code = describe(&v, &written);

  if (!code) code = ip_text_add(text, "%s", written.text);
  ip_text_clear(&written);
  return code;
}

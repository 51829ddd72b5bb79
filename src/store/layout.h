#pragma once

/** @file
 *  The layout of the file for one plan: every axis and variable, as a list that the skeleton is
 *  written from and an existing file is compared with.  Private to the store. */

#include <infoplane/study.h>

/** Types of the file that a run does not record. */
#define IP_UINT8 ((ip_number)(IP_UINT64 + 1))
#define IP_TEXT  ((ip_number)(IP_UINT64 + 2)) /* variable-length UTF-8 */

enum { IP_LAYOUT_BUILDS = 16, IP_LAYOUT_BUILD = 64, IP_LAYOUT_LAUNCHES = 64 };
enum { IP_LAYOUT_LAUNCH = 8192, IP_LAYOUT_VERSION = 1, IP_LAYOUT_RANK = 4 };

/** The axes, by number. */
typedef enum {
#define IP_ALONG(name, ...) ALONG_##name,
#include "layout.def"
  ALONG_COUNT
} ip_along;

/** One array of the file. */
typedef struct ip_variable {
  const char *group, *name; /**< group "" is the root                                     */
  ip_number type;
  bool axis; /**< it is the coordinate of along[0] */
  size_t n_axes;
  ip_along along[IP_LAYOUT_RANK];
  size_t length[IP_LAYOUT_RANK];
  const char *unit, *long_name, *definition, *reference;
  ip_names flags;
  /** Write the skeleton's values into values: elements in the file's order, IP_TEXT: char *
   *  of ip_text_copy.  NULL: the fill value stays. */
  PetscErrorCode (*values)(const ip_plan *plan, const struct ip_variable *variable,
                           void *values);
  size_t key;                    /**< of an option's coordinate                           */
  const ip_parameter *parameter; /**< of a column's                                       */
  size_t field;                  /**< of a recorded one; IP_FIELDS for all others         */
} ip_variable;

typedef struct {
  size_t n;
  ip_variable *variable;
  bool compact; /**< large arrays are compressed in chunks */
} ip_layout;

/** All axes, then all variables; those without elements are left out. */
PetscErrorCode ip_layout_create(const ip_plan *plan, ip_layout **layout);
void ip_layout_destroy(ip_layout **layout);

/** The variable of this group and name; NULL if there is none. */
const ip_variable *ip_layout_find(const ip_layout *layout, const char *group, const char *name);

/** Number i of all variables that a file may have, without lengths; false past the end. */
bool ip_layout_row(size_t i, ip_variable *variable);

const char *ip_along_name(ip_along along);

/** Its path in the file: "i_xt", "timing/seconds". */
enum { IP_VARIABLE_PATH = 96 };
void ip_variable_path(const ip_variable *variable, char path[IP_VARIABLE_PATH]);

/** The key of an input whose value it holds, or NULL. */
const char *ip_variable_key(const ip_variable *variable);

/** The skeleton's values stay as they are, and follow from options and shapes of the data alone. */
bool ip_variable_fixed(const ip_variable *variable);

/** Elements of a variable, and of one of its rows along the first axis. */
size_t ip_variable_elements(const ip_variable *variable);
size_t ip_variable_row(const ip_variable *variable);

/** The variable tells what the cells of the other are (learning_rate those of i_xt): it stands in
 *  the attribute `coordinates` of the other. */
bool ip_variable_describes(const ip_variable *variable, const ip_variable *other);

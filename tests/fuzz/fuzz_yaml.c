/* Any bytes as an input file: refused in words, or read as something that reads back the same. */

#include "fuzz.h"
#include <infoplane/options.h>

static ip_options *read_back(const ip_text *yaml)
{
  ip_options *options = NULL;

  MUST(ip_options_read("again.yaml", yaml->text, yaml->length, 0, NULL, &options) ==
       PETSC_SUCCESS);
  return options;
}

static void same_config(const char *config, ip_options *again)
{
  ip_text text = {0}, words = {0};

  MUST(ip_options_config(again, &text) == PETSC_SUCCESS);
  MUST(strcmp(text.text, config) == 0);
  MUST(ip_options_difference(text.text, config, &words) == PETSC_SUCCESS && words.length == 0);
  ip_text_clear(&words);
  ip_text_clear(&text);
  ip_options_destroy(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  ip_options *options = NULL;
  ip_text config = {0}, provenance = {0};

  begin();
  const PetscErrorCode code =
      ip_options_read("my.yaml", (const char *)bytes, length, 0, NULL, &options);

  if (code) {
    MUST(code == IP_ERR_CONFIG && !options);
    MUST(strstr(ip_error_message(), "nothing was started."));
    return 0;
  }
  MUST(ip_options_config(options, &config) == PETSC_SUCCESS);
  MUST(ip_options_provenance(options, &provenance) == PETSC_SUCCESS);
  same_config(config.text, read_back(&config));
  same_config(config.text, read_back(&provenance));
  ip_text_clear(&config);
  ip_text_clear(&provenance);
  ip_options_destroy(&options);
  return 0;
}

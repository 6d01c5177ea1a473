/**
 * Where machines come from: the embedded ones, YAML files, and the tables and listings of real
 * machines.
 *
 * <p>The YAML form is published as a JSON Schema beside the embedded platforms. It is read
 * strictly: unknown keys, duplicates, aliases and values of the wrong type are refused with the
 * line, the key and what was probably meant. Depends on {@code iommu.platform} and below, and on
 * {@code api.json} for sizes and spelling.
 */
@NullMarked
package io.hypercalld.api.platform;

import org.jspecify.annotations.NullMarked;

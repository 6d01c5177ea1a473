/**
 * Time as the machine knows it, which passes only when somebody says so. Depends on {@code
 * core.digest} only.
 */
@NullMarked
package io.hypercalld.core.time;

import org.jspecify.annotations.NullMarked;

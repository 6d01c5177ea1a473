/**
 * Every hypercall by its name: what it takes, what it may answer, and what carries it out.
 *
 * <p>Depends on the modules below and on {@code api.json}.
 */
@NullMarked
package io.hypercalld.api.hypercall;

import org.jspecify.annotations.NullMarked;

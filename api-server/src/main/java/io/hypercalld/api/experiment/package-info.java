/**
 * Questions answered by trying: the same seeded work on scratch machines that differ in one policy,
 * and what each of them cost.
 *
 * <p>Depends on {@code api.machine}, {@code api.json}, {@code api.platform} and the modules below.
 * Invariant: a scratch machine belongs to one experiment and is never the one that is served.
 */
@NullMarked
package io.hypercalld.api.experiment;

import org.jspecify.annotations.NullMarked;

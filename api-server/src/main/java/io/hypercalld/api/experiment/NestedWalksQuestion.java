package io.hypercalld.api.experiment;

import io.hypercalld.core.hypercall.OrElse;

/**
 * How many entries a walk through two levels of tables reads. Immutable.
 *
 * @param explained whether to list what is read
 */
public record NestedWalksQuestion(@OrElse("false") boolean explained) {}

/** The HTTP contract, asked over real HTTP. */
@NullMarked
package io.hypercalld.api.contract;

import org.jspecify.annotations.NullMarked;

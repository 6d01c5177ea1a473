/** Tests of the package. */
@NullMarked
package io.hypercalld.api.rest;

import org.jspecify.annotations.NullMarked;

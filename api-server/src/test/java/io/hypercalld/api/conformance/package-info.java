@NullMarked
package io.hypercalld.api.conformance;

import org.jspecify.annotations.NullMarked;

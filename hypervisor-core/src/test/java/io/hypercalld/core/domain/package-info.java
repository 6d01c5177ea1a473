@NullMarked
package io.hypercalld.core.domain;

import org.jspecify.annotations.NullMarked;

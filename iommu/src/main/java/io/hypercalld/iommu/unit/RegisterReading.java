package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.Word;
import java.util.Map;

/**
 * One register as software would read it. Immutable.
 *
 * @param name the specification's mnemonic
 * @param offset bytes from the start of the window
 * @param bytes 4 or 8
 * @param fields names and values of the fields, lowest bit first
 */
public record RegisterReading(
    String name, int offset, int bytes, long value, Map<String, Word> fields) {}

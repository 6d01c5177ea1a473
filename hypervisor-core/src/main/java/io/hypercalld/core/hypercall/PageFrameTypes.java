package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import java.util.List;

/**
 * What {@link GetPageFrameTypes} returns. Immutable.
 *
 * @param array {@code XEN_DOMCTL_PFINFO_*} for each guest frame
 */
public record PageFrameTypes(List<Word> array) {
  public PageFrameTypes {
    array = List.copyOf(array);
  }
}

package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.SerializedString;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The names that an object's members may have. Immutable.
 *
 * <p>Who writes many objects writes their members in one order, mostly the one here: the name that
 * comes next there is compared with the bytes of the body, and only another one is looked up.
 */
public final class MemberNames {
  /** Instead of a member: the object's end. */
  public static final int END = -1;

  private final List<SerializedString> spelled;
  private final Map<String, Integer> byName = new LinkedHashMap<>();

  /** Names in the order in which they mostly come. */
  public MemberNames(List<String> names) {
    spelled = names.stream().map(SerializedString::new).toList();
    names.forEach(name -> byName.put(name, byName.size()));
  }

  /**
   * Moves on to the next member of an object that has begun.
   *
   * @param last the index of the one before, or {@link #END} where there is none
   * @return its index, or {@link #END}
   * @throws InvalidBody where the name is none of these
   */
  public int next(JsonReader in, int last) {
    int likely = last + 1 < spelled.size() ? last + 1 : 0;
    if (spelled.isEmpty()) {
      in.next();
    } else if (in.nextIs(spelled.get(likely))) {
      return likely;
    }
    return in.token() == JsonToken.END_OBJECT ? END : indexOf(in);
  }

  private int indexOf(JsonReader in) {
    String name = in.name();
    Integer index = byName.get(name);
    if (index == null) {
      throw in.invalid("unknown member%s", Spelling.hint(name, byName.keySet()));
    }
    return index;
  }
}

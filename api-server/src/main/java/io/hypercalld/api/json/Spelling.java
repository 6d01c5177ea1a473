package io.hypercalld.api.json;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** What somebody may have meant. Immutable. */
public final class Spelling {
  private Spelling() {}

  /** The candidate nearest to {@code word}, if one is near enough to be a slip of it. */
  public static Optional<String> nearest(String word, Collection<String> candidates) {
    int limit = Math.max(2, word.length() / 3);
    return candidates.stream()
        .filter(candidate -> distance(word, candidate) <= limit)
        .min(
            Comparator.<String>comparingInt(candidate -> distance(word, candidate))
                .thenComparing(Comparator.naturalOrder()));
  }

  /** The end of a sentence that complains about {@code word}; empty where nothing is near. */
  public static String hint(String word, Collection<String> candidates) {
    return nearest(word, candidates).map(near -> ", did you mean " + near + "?").orElse("");
  }

  /** Number of single-character edits between two words, letter case aside. */
  public static int distance(String one, String other) {
    char[] from = letters(one);
    char[] to = letters(other);
    int[] previous = new int[to.length + 1];
    int[] row = new int[to.length + 1];
    for (int j = 0; j < previous.length; j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= from.length; i++) {
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = previous[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
        row[j] = Math.min(replaced, 1 + Math.min(previous[j], row[j - 1]));
      }
      int[] done = row;
      row = previous;
      previous = done;
    }
    return previous[to.length];
  }

  private static char[] letters(String word) {
    char[] letters = word.toCharArray();
    for (int i = 0; i < letters.length; i++) {
      letters[i] = Character.toLowerCase(letters[i]);
    }
    return letters;
  }
}

package io.hypercalld.api.json;

import java.util.Locale;

/** How a record component's name is spelled in JSON. */
public enum Naming {
  /** As in Java: the members of resources. */
  CAMEL_CASE {
    @Override
    String memberName(String component) {
      return component;
    }
  },
  /** As in C: the members of hypercall arguments and results. */
  SNAKE_CASE {
    @Override
    String memberName(String component) {
      StringBuilder name = new StringBuilder();
      for (int i = 0; i < component.length(); i++) {
        char letter = component.charAt(i);
        if (Character.isUpperCase(letter)) {
          name.append('_');
        }
        name.append(letter);
      }
      return name.toString().toLowerCase(Locale.ROOT);
    }
  };

  abstract String memberName(String component);
}

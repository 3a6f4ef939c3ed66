"""Result files in; figures, tables, claims and the report out. Never TensorFlow."""

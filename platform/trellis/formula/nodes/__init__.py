"""The checked formula: typed nodes, each with its Python closure and its SQL."""

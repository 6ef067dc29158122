// What the parts of the library give to its module.
#pragma once
int one();
int two();
int three();
int four();
int slow();

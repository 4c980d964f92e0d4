DROP TABLE liability_cells, liability_periods, liability_settings;
